const CONNECTION = /\r\nconnection:([^\r\n]*)\r\n/i;

const KEEP_ALIVE = /\r\nkeep-alive:[^\r\n]*\r\n/i;

/**
 * The header block of a response, saying that the connection ends after it.
 *
 * @returns undefined where it says so already, or where the connection turns into something else (`Connection: upgrade`)
 */
export function withClose(header: string): string | undefined {
  const said = CONNECTION.exec(header)?.[1]?.trim().toLowerCase();
  if (said !== undefined && said !== 'keep-alive') return undefined;
  // The app may have taken the line out.
  const closing =
    said === undefined
      ? `${header.slice(0, -2)}Connection: close\r\n\r\n`
      : header.replace(CONNECTION, '\r\nConnection: close\r\n');
  return closing.replace(KEEP_ALIVE, '\r\n');
}
