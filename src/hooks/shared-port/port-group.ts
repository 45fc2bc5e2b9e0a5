import { debug } from '../../diagnostics.js';
import type { Platform } from '../../native/platform.js';
import { onlyCpu } from '../../native/ports/cpu.js';
import { fdOf } from '../../native/sockets/handle-fd.js';
import { boundAddress } from '../../node/addresses.js';
import { type BoundHandle, listenerHandle, type SocketHandle } from '../../node/net.js';
import { receiveConnections } from '../../node/patch/net.js';
import { applyAndConfirm } from '../../options/apply.js';
import type { OptionOutcome } from '../../options/outcome.js';
import { planOptions, type Step, stepsBeforeListen } from '../../options/plan.js';
import { type HookContext, valuesAt } from '../context.js';
import { holdPort } from './own-ports.js';
import { isBoundTo, sharingOf, sharingStep } from './reuse-port.js';
import { bindHandle, bindShared } from './shared-bind.js';
import { steeringOutcome } from './steering.js';

/** What workers ask for when they listen. */
export interface PortRequest {
  readonly address: string | null;
  readonly port: number;
  readonly addressType: 4 | 6;
  readonly flags: number;
  readonly backlog: number;
}

/**
 * A listener of a group. The primary keeps it open beside the worker that has it, so that no connection is lost that waits in it when
 * the worker leaves: the next worker finds it there, and until then the others get it.
 */
interface Slot {
  readonly handle: BoundHandle;
  worker: number | undefined;
  /** Accepts in the primary while the slot has no worker. */
  relay: BoundHandle | undefined;
}

/**
 * The listeners of a cluster's workers on one port: as many as there are workers, each with a queue of its own, made by the primary in
 * an order that it knows, as steering goes by that.
 */
export class PortGroup {
  readonly outcomes: OptionOutcome[] = [];
  /** What the first of the workers has told for all (tickets of TLS sessions). */
  data: unknown;
  readonly #context: HookContext;
  readonly #platform: Platform;
  readonly #request: PortRequest;
  readonly #onStray: (client: SocketHandle) => void;
  readonly #slots: Slot[] = [];
  readonly #pids = new Map<number, number | undefined>();
  #isSteered = false;

  /**
   * @param onStray is given the connections of slots that have no worker
   */
  constructor(context: HookContext, request: PortRequest, onStray: (client: SocketHandle) => void) {
    this.#context = context;
    this.#platform = context.platform();
    this.#request = request;
    this.#onStray = onStray;
  }

  /** Bind the first listener, as Node would bind it: nobody else may have the port. Returns whether the port can be shared. */
  open(): boolean {
    const { port } = this.#request;
    const handle = bindHandle(this.#request);
    if (typeof handle !== 'object') return false;
    const step = sharingStep(this.#context, port);
    // Bound without it, as one that is bound with it would not notice a stranger who shares; it counts when listen(2) is called.
    if (step === undefined || !isBoundTo(handle, port) || !this.#add(handle, [step])) {
      handle.close();
      return false;
    }
    return true;
  }

  /** Address and port of the group; of port 0, what it has become. */
  get bound(): { readonly address: string; readonly port: number | undefined } {
    return boundAddress(this.#slots[0]?.handle ?? {});
  }

  /** How many listeners there are. */
  get size(): number {
    return this.#slots.length;
  }

  has(worker: number): boolean {
    return this.#slots.some((slot) => slot.worker === worker);
  }

  get workers(): number[] {
    return this.#slots.flatMap(({ worker }) => worker ?? []);
  }

  /** A listener for a worker: one that is free, or a new one. Undefined if none can be had. */
  take(worker: number, pid: number | undefined): BoundHandle | undefined {
    const slot = this.#slots.find((candidate) => candidate.worker === undefined) ?? this.#grow();
    if (slot === undefined) return undefined;
    slot.worker = worker;
    slot.relay?.close();
    slot.relay = undefined;
    this.#pids.set(worker, pid);
    this.steer();
    return slot.handle;
  }

  /** Take a worker's listener back. Returns whether the group is at an end, as it was the last one. */
  leave(worker: number): boolean {
    const slot = this.#slots.find((candidate) => candidate.worker === worker);
    if (slot === undefined) return false;
    slot.worker = undefined;
    this.#pids.delete(worker);
    if (this.workers.length === 0) {
      this.close();
      return true;
    }
    if (!this.#startRelay(slot)) this.#remove(slot);
    this.steer();
    return false;
  }

  /** Have the kernel choose among the listeners that have a worker. Where it refuses, what comes in elsewhere is relayed. */
  steer(): void {
    const [first] = this.#slots;
    const byCpu = sharingOf(this.#context, this.#request.port) === 'cpu';
    const active = this.#slots.flatMap(({ worker }, index) => (worker === undefined ? [] : [index]));
    if (first === undefined || active.length === 0) return;
    // The kernel's own choice is right where every listener has a worker. It can be had back since Linux 5.3.
    if (!byCpu && active.length === this.#slots.length) {
      if (this.#isSteered && this.#platform.ports?.steer(first.handle, undefined) === 0) this.#isSteered = false;
      if (!this.#isSteered) return;
    }
    const pinned = new Map<number, number>();
    for (const index of active) {
      const cpu = onlyCpu(this.#pids.get(this.#slots[index]?.worker ?? -1));
      if (cpu !== undefined && !pinned.has(cpu)) pinned.set(cpu, index);
    }
    const errno = this.#platform.ports?.steer(first.handle, { active, byCpu, pinned });
    this.#isSteered = errno === 0;
    this.#note(steeringOutcome(active.length, errno));
    debug('%d of %d listeners steered to (errno %d)', active.length, this.#slots.length, errno);
  }

  #note(outcome: OptionOutcome): void {
    const known = this.outcomes.findIndex(({ constant }) => constant === outcome.constant);
    this.outcomes.splice(known < 0 ? this.outcomes.length : known, 1, outcome);
  }

  close(): void {
    for (const { handle, relay } of this.#slots.splice(0)) {
      relay?.close();
      handle.close();
    }
  }

  #grow(): Slot | undefined {
    const step = sharingStep(this.#context, this.#request.port);
    const port = this.bound.port ?? this.#request.port;
    const handle = step && bindShared(this.#context, step, { ...this.#request, port });
    if (handle === undefined) return undefined;
    if (this.#add(handle, [])) return this.#slots.at(-1);
    handle.close();
    return undefined;
  }

  /** Set what is to be set before listen(2), and call that: here, as the order of these calls is the order of the group. */
  #add(handle: BoundHandle, early: readonly Step[]): boolean {
    const { port, backlog } = this.#request;
    const platform = this.#platform;
    const { exactBuffers } = this.#context;
    const kind = { target: 'listener', family: 'tcp', clientSpeaksFirst: false, exactBuffers } as const;
    const plan = planOptions(platform, valuesAt(this.#context, port), kind);
    const outcomes = [...early, ...stepsBeforeListen(plan)].map((step) => applyAndConfirm(platform, step, handle));
    const listen = platform.constants['listen(2)'];
    if (early.length > 0 && outcomes[0]?.verdict !== 'applied') return false;
    if (listen === undefined || platform.set(handle, listen, Int32Array.of(backlog || DEFAULT_BACKLOG)) !== 0)
      return false;
    if (this.#slots.length === 0) this.outcomes.push(...outcomes, ...plan.skipped);
    holdPort(handle, this.#request.flags);
    this.#slots.push({ handle, worker: undefined, relay: undefined });
    return true;
  }

  /** Give a listener up. The last of the group takes its place, in the kernel as here. */
  #remove(slot: Slot): void {
    slot.handle.close();
    const index = this.#slots.indexOf(slot);
    const last = this.#slots.pop();
    if (last !== undefined && last !== slot) this.#slots[index] = last;
  }

  /** Accept here what comes to a listener that nobody has, by a second descriptor: a handle cannot cease to accept otherwise. */
  #startRelay(slot: Slot): boolean {
    const fd = this.#platform.files?.duplicate(fdOf(slot.handle)) ?? -1;
    const relay = fd < 0 ? undefined : listenerHandle(slot.handle, fd);
    if (relay === undefined) {
      if (fd >= 0) this.#platform.close(fd);
      debug('no relay: descriptor %d', fd);
      return false;
    }
    receiveConnections(relay, (error, client) => {
      if (error === 0 && client !== undefined) this.#onStray(client);
    });
    relay.listen(this.#request.backlog || DEFAULT_BACKLOG);
    slot.relay = relay;
    return true;
  }
}

/** lib/net.js `setupListenHandle`. */
const DEFAULT_BACKLOG = 511;
