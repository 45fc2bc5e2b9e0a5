import { debug } from '../../diagnostics.js';
import type { Platform } from '../../native/platform.js';
import { boundAddress } from '../../node/addresses.js';
import type { BoundHandle, SocketHandle } from '../../node/net.js';
import { applyAndConfirm } from '../../options/apply.js';
import type { OptionOutcome } from '../../options/outcome.js';
import { planOptions, type Step, stepsBeforeListen } from '../../options/plan.js';
import { setBeforeBind, stepsBeforeBindOf } from '../before-bind.js';
import { type HookContext, valuesAt } from '../context.js';
import { GroupListener, type GroupWorker } from './group-listener.js';
import { addOwnPort } from './own-ports.js';
import { type BindAddress, bindHandle, bindShared, isBoundTo, sharingOf, sharingStep } from './reuse-port.js';
import { groupSteering, steeringOutcome } from './steering.js';

/** The query of a worker that listens on a TCP port. */
export interface PortRequest extends BindAddress {
  readonly flags: number;
  readonly backlog: number;
}

/**
 * The listeners of a cluster's workers on one port: one for each worker, with an accept queue of its own. The primary makes them, so it
 * knows their order in the kernel, which steering needs.
 */
export class PortGroup {
  /** Of the first listener, and of the steering. */
  readonly outcomes: OptionOutcome[] = [];
  /** What the first worker has sent for all of them: the keys of TLS session tickets. */
  data: unknown;
  readonly #context: HookContext;
  readonly #platform: Platform;
  readonly #request: PortRequest;
  readonly #onRelayed: (client: SocketHandle) => void;
  /** In the order of their listen(2), as the kernel numbers them. */
  readonly #listeners: GroupListener[] = [];
  /** The kernel has a program of ours. */
  #isSteered = false;

  /** @param onRelayed is given the connections of listeners without a worker */
  constructor(context: HookContext, request: PortRequest, onRelayed: (client: SocketHandle) => void) {
    this.#context = context;
    this.#platform = context.platform();
    this.#request = request;
    this.#onRelayed = onRelayed;
  }

  /** Address and port of the group; port 0 shows as the port that it became. */
  get bound(): { readonly address: string; readonly port: number | undefined } {
    return boundAddress(this.#listeners[0]?.handle ?? {});
  }

  /** How many listeners there are. */
  get size(): number {
    return this.#listeners.length;
  }

  /** Workers that have a listener, by their ids. */
  get workers(): number[] {
    return this.#listeners.flatMap(({ worker }) => worker?.id ?? []);
  }

  has(worker: number): boolean {
    return this.workers.includes(worker);
  }

  /**
   * Make the first listener. It is bound without SO_REUSEPORT, so that bind(2) fails if another process has the port, even a shared one.
   * The option counts from listen(2) on.
   *
   * @returns whether the port can be shared
   */
  open(): boolean {
    const { port } = this.#request;
    const others = stepsBeforeBindOf(this.#context, port).filter(({ row }) => row.key !== 'reusePort');
    const bind = (): ReturnType<typeof bindHandle> => bindHandle(this.#request);
    const { result: handle, outcomes } = setBeforeBind(this.#context, others, bind);
    if (typeof handle !== 'object') return false;
    this.outcomes.push(...outcomes);
    const step = sharingStep(this.#context, port);
    const isOpen = step !== undefined && isBoundTo(handle, port) && this.#share(handle, step) && this.#listen(handle);
    if (!isOpen) handle.close();
    return isOpen;
  }

  /** A listener for a worker: one without a worker, or a new one. Undefined if none can be had. */
  take(worker: GroupWorker): BoundHandle | undefined {
    const listener = this.#listeners.find((candidate) => candidate.worker === undefined) ?? this.#grow();
    if (listener === undefined) return undefined;
    listener.give(worker);
    this.steer();
    return listener.handle;
  }

  /** Take a worker's listener back. Returns whether that worker was the last, and the group is closed. */
  leave(worker: number): boolean {
    const listener = this.#listeners.find((candidate) => candidate.worker?.id === worker);
    if (listener === undefined) return false;
    listener.takeBack();
    if (this.workers.length === 0) {
      this.close();
      return true;
    }
    if (!listener.relay(this.#platform, this.#request.backlog, this.#onRelayed)) this.#remove(listener);
    this.steer();
    return false;
  }

  /** Have the kernel choose among the listeners that have a worker. If it refuses, the relays get connections too. */
  steer(): void {
    const [first] = this.#listeners;
    const byCpu = sharingOf(this.#context, this.#request.port) === 'cpu';
    const steering = groupSteering(this.#listeners, byCpu);
    const count = steering.active.length;
    if (first === undefined || count === 0) return;
    if (!byCpu && count === this.size && this.#unsteer(first.handle)) return;
    const errno = this.#platform.ports?.steer(first.handle, steering);
    this.#isSteered = errno === 0;
    this.#note(steeringOutcome(count, errno));
    debug('%d of %d listeners steered to (errno %d)', count, this.size, errno);
  }

  close(): void {
    for (const listener of this.#listeners.splice(0)) listener.close();
  }

  #share(handle: BoundHandle, step: Step): boolean {
    const outcome = applyAndConfirm(this.#platform, step, handle);
    this.outcomes.push(outcome);
    return outcome.verdict === 'applied';
  }

  /** Call listen(2) here and not in the worker: the order of these calls is the order of the group. */
  #listen(handle: BoundHandle): boolean {
    const { port, flags, backlog } = this.#request;
    const platform = this.#platform;
    const { exactBuffers } = this.#context;
    const kind = { target: 'listener', family: 'tcp', clientSpeaksFirst: false, exactBuffers } as const;
    const plan = planOptions(platform, valuesAt(this.#context, port), kind);
    const outcomes = stepsBeforeListen(plan).map((step) => applyAndConfirm(platform, step, handle));
    const listen = platform.constants['listen(2)'];
    if (listen === undefined || platform.set(handle, listen, Int32Array.of(backlog)) !== 0) return false;
    if (this.size === 0) this.outcomes.push(...outcomes, ...plan.skipped);
    addOwnPort(handle, flags);
    this.#listeners.push(new GroupListener(handle));
    return true;
  }

  #grow(): GroupListener | undefined {
    const { port = this.#request.port } = this.bound;
    const handle = bindShared(this.#context, { ...this.#request, port }, this.#request.port);
    if (handle === undefined) return undefined;
    if (this.#listen(handle)) return this.#listeners.at(-1);
    handle.close();
    return undefined;
  }

  /** Close a listener. The kernel moves the last of the group to its place, so we do the same. */
  #remove(listener: GroupListener): void {
    listener.close();
    const index = this.#listeners.indexOf(listener);
    const last = this.#listeners.pop();
    if (last !== undefined && last !== listener) this.#listeners[index] = last;
  }

  /** Leave the choice to the kernel. Returns false if it keeps our program: detaching came with Linux 5.3. */
  #unsteer(handle: BoundHandle): boolean {
    if (this.#isSteered && this.#platform.ports?.steer(handle, undefined) === 0) this.#isSteered = false;
    return !this.#isSteered;
  }

  #note(outcome: OptionOutcome): void {
    const known = this.outcomes.findIndex(({ constant }) => constant === outcome.constant);
    this.outcomes.splice(known < 0 ? this.outcomes.length : known, 1, outcome);
  }
}
