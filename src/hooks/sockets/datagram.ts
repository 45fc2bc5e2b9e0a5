import { debug } from '../../diagnostics.js';
import type { Platform } from '../../native/platform.js';
import { type DatagramHandle, datagramPrototype } from '../../node/dgram.js';
import { replaceMethod, type Undo } from '../../node/patch/replace.js';
import { type Plan, planOptions } from '../../options/plan.js';
import { datagramRecord } from '../../report/socket-record.js';
import type { HookContext } from '../context.js';
import { warnOfFailures } from '../warn.js';
import { tuneForeignSocket } from './foreign-socket.js';

type ReceiveStart = DatagramHandle['recvStart'];

function tuneDatagram(
  context: HookContext,
  platform: Platform,
  { steps, skipped }: Plan,
  handle: DatagramHandle,
): void {
  // The socket may have come from another process, whose app has set its buffer sizes.
  const { outcomes } = tuneForeignSocket(platform, steps, handle, () => false);
  datagramRecord.sockets++;
  if (datagramRecord.sockets > 1) return;
  datagramRecord.outcomes = [...outcomes, ...skipped];
  debug('first datagram socket: %o', datagramRecord.outcomes);
  warnOfFailures(context, datagramRecord.outcomes);
}

function datagramPlan(context: HookContext): Plan {
  const kind = { target: 'datagram', family: 'udp', clientSpeaksFirst: false, exactBuffers: false } as const;
  return planOptions(context.platform(), context.values, kind);
}

/** Tune a UDP socket that was received with a message: it is bound already. */
export function tuneBoundDatagram(context: HookContext, handle: DatagramHandle): void {
  tuneDatagram(context, context.platform(), datagramPlan(context), handle);
}

/**
 * Tune every UDP socket from now on when it is bound. Node sets the app's own buffer sizes later, so these win.
 *
 * @param socket a dgram.Socket: the only way to Node's class of UDP handles
 * @returns undefined if there is nothing to do
 */
export function tuneDatagrams(context: HookContext, socket: object): Undo | undefined {
  const platform = context.platform();
  const plan = datagramPlan(context);
  const prototype = datagramPrototype(socket);
  if (plan.steps.length === 0 || prototype === undefined) return undefined;
  return replaceMethod<ReceiveStart>(
    prototype,
    'recvStart',
    (original) =>
      function (this: DatagramHandle, ...args) {
        tuneDatagram(context, platform, plan, this);
        return original.apply(this, args);
      },
  );
}
