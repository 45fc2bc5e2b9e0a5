import type { Client, Position } from './client.js';
import { compare, type Item, itemsOf, mayBeShort, receivedOf } from './oracle.js';
import type { ConnectionRecord, ExchangeRecord, Served } from './server/messages.js';
import { rangeOf } from './session/bytes.js';
import type { Exchange, Session } from './session/program.js';

/** What a session has shown. */
export interface Evidence {
  readonly session: Session;
  readonly isTuned: boolean;
  readonly clients: readonly Client[];
  readonly served: Served;
  /** How much the client had received when it changed the file of a step. */
  readonly changedAt: ReadonlyMap<string, Position>;
}

export function changeKey(connection: number, exchange: number, step: number): string {
  return [connection, exchange, step].join(' ');
}

function judgeHead(head: readonly string[], index: number, { framing }: Exchange, items: readonly Item[]): string[] {
  const problems: string[] = [];
  const length = items.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (head[0] !== 'HTTP/1.1 200 OK') problems.push(`status line ${head[0]}`);
  if (!head.includes(`X-Exchange: ${index}`)) problems.push(`not the response to this request: ${head.join(', ')}`);
  if (framing === 'length' && !head.includes(`Content-Length: ${length}`))
    problems.push(`not of length ${length}: ${head.join(', ')}`);
  return problems;
}

function judgeStreams(session: Session, { steps }: Exchange, record: ExchangeRecord): string[] {
  const problems: string[] = [];
  const files = steps.filter((step) => step.do === 'file');
  for (const [index, step] of files.entries()) {
    const stream = record.streams[index];
    const { length } = rangeOf(step, session.files[step.file]?.size ?? 0);
    if (!stream?.hasEnded) problems.push(`the stream of file ${step.file} has not ended`);
    else if (stream.bytesRead !== length) problems.push(`bytesRead ${stream.bytesRead}, not ${length}`);
    if (stream?.closes && !stream.hasClosed) problems.push(`the stream of file ${step.file} has not closed`);
  }
  return problems;
}

function judgeRecord(session: Session, exchange: Exchange, record: ExchangeRecord | undefined): string[] {
  if (record === undefined) return ['never served'];
  const problems = [...record.errors, ...judgeStreams(session, exchange, record)];
  if (!record.isDone) problems.push(`step ${record.begun - 1} has not ended`);
  if (!record.isFinished) problems.push("no 'finish'");
  return problems;
}

function judgeConnection(client: Client, record: ConnectionRecord): string[] {
  const problems: string[] = [];
  if (client.error !== undefined) problems.push(`the client's socket: ${client.error}`);
  if (client.brokenFraming !== undefined) problems.push(client.brokenFraming);
  if (!record.isClosed) problems.push("no 'close' of the socket");
  if (record.writableLength !== 0) problems.push(`writableLength ${record.writableLength}`);
  if (record.isClosed && record.bytesWritten !== client.received) {
    problems.push(`bytesWritten ${record.bytesWritten}, ${client.received} came`);
  }
  return problems;
}

interface Judgement {
  readonly problems: readonly string[];
  /** A file was cut whose length was promised, and the connection ended for it. */
  readonly hasBrokenOff: boolean;
}

function judgeExchanges(evidence: Evidence, connection: number, client: Client): Judgement {
  const { session, served, isTuned, changedAt } = evidence;
  const problems: string[] = [];
  let mayBreakOff = false;
  let hasBrokenOff = false;
  for (const [index, exchange] of (session.connections[connection]?.exchanges ?? []).entries()) {
    const record = served.connections[connection]?.exchanges[index];
    const items = itemsOf(session, exchange, {
      isTuned,
      fills: record?.fills ?? [],
      receivedBefore: (step) => receivedOf(index, changedAt.get(changeKey(connection, index, step))),
    });
    const response = client.responses[index];
    mayBreakOff ||= session.protocol === 'http' && items.some(mayBeShort);
    const isWhole = response?.isComplete === true;
    hasBrokenOff ||= !isWhole && mayBreakOff;
    const add = (found: readonly string[]): number =>
      problems.push(...found.map((text) => `exchange ${index}: ${text}`));
    if (response !== undefined) {
      const different = compare(Buffer.concat(response.body), items, isWhole || !mayBreakOff);
      if (different !== undefined) {
        const { offset, what, expected, got } = different;
        add([`byte ${offset} (${what}) expected ${expected || 'nothing'} got ${got || 'nothing'}`]);
      }
      if (session.protocol === 'http' && exchange.method === 'GET')
        add(judgeHead(response.head, index, exchange, items));
    }
    if (hasBrokenOff) continue;
    if (response === undefined) add(['no response']);
    else if (!isWhole) add(['the response is not complete']);
    add(judgeRecord(session, exchange, record));
  }
  return { problems, hasBrokenOff };
}

/** All that is wrong with a session. */
export function judge(evidence: Evidence): string[] {
  const { clients, served } = evidence;
  const problems = clients.flatMap((client, index) => {
    const judgement = judgeExchanges(evidence, index, client);
    const record = served.connections[index];
    const around = record === undefined || judgement.hasBrokenOff ? [] : judgeConnection(client, record);
    return [...judgement.problems, ...around].map((text) => `connection ${index}, ${text}`);
  });
  if (served.descriptorsLeft > 0) problems.push(`${served.descriptorsLeft} descriptors left`);
  return problems;
}
