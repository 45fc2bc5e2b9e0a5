import { kindOf, type OptionValue, type Parsed } from '../options/kinds.js';
import type { SocketOption } from '../options/socket-option.js';

/** What a text such as `off` means in place of a number or a name: the option stays as the kernel has it. */
export const LEFT_ALONE = 'left-alone';

/** The value that the text of a variable means for an option: one of its kind, one of the row's words, or {@link LEFT_ALONE}. */
export function parseOptionText(
  text: string,
  row: Pick<SocketOption, 'kind' | 'range' | 'words'>,
): Parsed<OptionValue | typeof LEFT_ALONE> {
  const kind = kindOf(row);
  const words = Object.entries(row.words ?? {});
  const bare = text.trim().toLowerCase();
  if (kind.leftAloneBy.includes(bare)) return { value: LEFT_ALONE };
  const word = words.find(([name]) => name === bare);
  if (word !== undefined) return { value: word[1] };
  const parsed = kind.parse(text, row);
  if ('value' in parsed) return parsed;
  const named = words.length === 0 ? '' : `, one of ${words.map(([name]) => name).join(', ')}`;
  const [leftAlone] = kind.leftAloneBy;
  return { expected: `${parsed.expected}${named}${leftAlone === undefined ? '' : `, or ${leftAlone}`}` };
}
