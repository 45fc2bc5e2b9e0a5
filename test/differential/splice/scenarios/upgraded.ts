import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { reach } from '../../../support/sockets/socket-pair.js';
import { bulk, receive, send } from '../flow.js';
import { close, closed } from '../line.js';
import { type SpliceScenario, spliceScenarios } from '../scenario.js';
import { watchFigures, watchSocket } from '../watch.js';

/** How a proxy passes on the head: bytes that came in one packet with the request, and that http's parser has read. */
type PassHead = (source: Socket, sink: Socket, head: Buffer) => void;

interface Request {
  readonly event: 'upgrade' | 'connect';
  readonly text: string;
  readonly answer: string;
}

const UPGRADE: Request = {
  event: 'upgrade',
  text: 'GET / HTTP/1.1\r\nHost: proxy\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  answer: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
};

const CONNECT: Request = {
  event: 'connect',
  text: 'CONNECT target:443 HTTP/1.1\r\nHost: target:443\r\n\r\n',
  answer: 'HTTP/1.1 200 Connection established\r\n\r\n',
};

const there = bulk(undefined, 1);
const back = bulk(undefined, 2);

const HEAD_LENGTH = 1000;

/** A connection that an http server gives away, and both of whose directions are piped then. */
function upgraded({ event, text, answer }: Request, passHead: PassHead): SpliceScenario {
  return {
    travel: 'spliced',
    async run(recorder) {
      const target = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
      const proxy = createHttpServer().listen(0, '127.0.0.1');
      await Promise.all([once(target, 'listening'), once(proxy, 'listening')]);
      const sender = connect(reach(proxy)).on('error', () => undefined);
      await once(sender, 'connect');
      sender.write(Buffer.concat([Buffer.from(text), there.subarray(0, HEAD_LENGTH)]));
      const [, source, head] = (await once(proxy, event)) as [IncomingMessage, Socket, Buffer];
      const sink = connect(reach(target));
      const [[receiver]] = (await Promise.all([once(target, 'connection'), once(sink, 'connect')])) as [
        [Socket],
        unknown,
      ];
      watchSocket(recorder, 'source', source);
      watchSocket(recorder, 'sink', sink);
      watchFigures(recorder, 'source', source);
      watchFigures(recorder, 'sink', sink);
      recorder.note('head', head.equals(there.subarray(0, HEAD_LENGTH)));
      const atReceiver = receive(receiver);
      const atSender = receive(sender);
      recorder.within('piping', () => {
        source.write(answer);
        passHead(source, sink, head);
        source.pipe(sink).pipe(source);
      });
      await Promise.all([
        send(sender, there.subarray(HEAD_LENGTH), { ends: false }),
        send(receiver, back, { ends: false }),
        atReceiver.reaches(there.length),
        atSender.reaches(answer.length + back.length),
      ]);
      sender.end();
      await once(receiver, 'end');
      receiver.end();
      await closed(source, sink);
      recorder.note('received there', atReceiver.verdict(there));
      recorder.note('received back', atSender.verdict(Buffer.concat([Buffer.from(answer), back])));
      await close({ sender, source, sink, receiver });
      await Promise.all([target, proxy].map((server) => once(server.close(), 'close')));
    },
  };
}

const writeIt: PassHead = (_, sink, head) => void sink.write(head);

/** As http-proxy does it. */
const putItBack: PassHead = (source, _, head) => void source.unshift(head);

export const scenarios = spliceScenarios({
  'an upgrade whose head is written to the sink': upgraded(UPGRADE, writeIt),
  'an upgrade whose head is put back into the source': upgraded(UPGRADE, putItBack),
  'CONNECT, the head written to the sink': upgraded(CONNECT, writeIt),
  'CONNECT, the head put back into the source': upgraded(CONNECT, putItBack),
});
