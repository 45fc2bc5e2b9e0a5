import type { Random } from './random.js';

/** Node's names of encodings, and others that it takes for them. */
const ENCODINGS = [
  'utf8',
  'UTF-8',
  'latin1',
  'binary',
  'ascii',
  'ucs2',
  'utf16le',
  'base64',
  'BASE64',
  'base64url',
  'hex',
  'HEX',
] as const;

export type EncodedText = readonly [text: string, encoding: string];

function units(length: number, unit: () => number): string {
  let text = '';
  for (let index = 0; index < length; index++) text += String.fromCharCode(unit());
  return text;
}

/** All of Unicode in turn, with lone surrogates. */
function unicode(random: Random, length: number): string {
  const ranges = [
    [0x20, 0x7e],
    [0x20, 0x7e],
    [0x80, 0x7ff],
    [0x800, 0xd7ff],
    [0xd800, 0xdbff],
    [0xdc00, 0xdfff],
    [0xe000, 0xffff],
  ] as const;
  const only = random.chance(0.3) ? ranges[0] : undefined;
  return units(length, () => {
    const [least, most] = only ?? random.pick<readonly [number, number]>(ranges);
    return random.between(least, most);
  });
}

function randomBytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.between(0, 255)));
}

function inserted(text: string, at: number, what: string): string {
  return text.slice(0, at) + what + text.slice(at);
}

/** base64 as other programs write it: in lines, padded in the middle, with spaces and invalid characters. */
function spoiltBase64(random: Random, text: string): string {
  const at = random.between(0, text.length);
  return random.pick([
    () => text.replace(/.{1,4}/g, '$&\r\n'),
    () => text.replace(/.{1,76}/g, '$&\n'),
    () => `${text.replace(/=*$/, '')}==${text}`,
    () => inserted(text, at, ' \t '),
    () => inserted(text, at, random.pick(['!', '*', '\0', 'é', '€'])),
    () => inserted(text, at, random.pick(['-', '_', '=', '==='])),
    () => text.replace(/=+$/, ''),
    () => `${text.replace(/=*$/, '')}A`,
  ])();
}

/** Never of an odd length: Node 20 aborts when such a text is written in a batch. */
function spoiltHex(random: Random, text: string): string {
  const at = random.between(0, text.length);
  return random.pick([
    () => inserted(text, at, random.pick(['zz', 'g0', '0g', ' \n', 'é€', '\ud800\udc00'])),
    () => text.toUpperCase(),
  ])();
}

/** A text with half a byte at its end. */
export function oddHex(random: Random): string {
  return `${randomBytes(random, random.between(0, 100)).toString('hex')}a`;
}

/** A text in any encoding, and, if that may be, one that decoding does not take as a whole. */
export function randomText(random: Random, length: number, maySpoil: boolean): EncodedText {
  const encoding = random.pick(ENCODINGS);
  const isSpoilt = maySpoil && random.chance(0.5);
  switch (encoding) {
    case 'latin1':
    case 'binary':
    case 'ascii':
      return [units(length, () => random.between(0, random.pick([0x7f, 0xff, 0xffff]))), encoding];
    case 'base64':
    case 'BASE64':
    case 'base64url': {
      const text = randomBytes(random, length).toString(encoding.toLowerCase() as BufferEncoding);
      return [isSpoilt ? spoiltBase64(random, text) : text, encoding];
    }
    case 'hex':
    case 'HEX': {
      const text = randomBytes(random, length).toString('hex');
      return [isSpoilt ? spoiltHex(random, text) : text, encoding];
    }
    default:
      return [unicode(random, length), encoding];
  }
}
