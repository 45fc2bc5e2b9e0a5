import { debug } from '../../diagnostics.js';
import type { SocketHandle } from '../../node/net.js';
import { applyAndConfirm, applyStep } from '../../options/apply.js';
import { endsInTime } from '../../options/dead-peer.js';
import type { OptionOutcome } from '../../options/outcome.js';
import { type Plan, type Step, stepsBeforeBind } from '../../options/plan.js';
import { OPTION_ROWS, type OptionValues } from '../../options/table.js';
import { outgoingRecord } from '../../report/socket-record.js';
import { type HookContext, planToReport } from '../context.js';
import { negotiatedOutcome } from '../multipath.js';
import { PeerWatch } from '../peers/peer-watch.js';
import { endUnanswered } from '../peers/unanswered.js';
import { warnOfFailures } from '../warn.js';
import { undecided } from './app-choice.js';
import type { Tuning } from './tuning.js';

const TAKEN: ReadonlySet<OptionOutcome['verdict']> = new Set(['applied', 'clamped', 'inert']);

/** Times of the presets. */
const PRESET_TIMES: ReadonlySet<unknown> = new Set(
  OPTION_ROWS.filter(({ key }) => key === 'deadPeer').flatMap(({ presets }) => Object.values(presets)),
);

const int = new Int32Array(1);

/** Steps that are set at one moment. The first socket shows which of them the kernel takes. */
class Moment {
  readonly #tuning: OutgoingTuning;
  readonly #planned: readonly Step[];
  #taken: readonly Step[] | undefined;

  constructor(tuning: OutgoingTuning, planned: readonly Step[]) {
    this.#tuning = tuning;
    this.#planned = planned;
  }

  /** @param owner whose app may have set some of the options itself */
  set(handle: SocketHandle, owner: unknown, isLeft: (step: Step) => boolean = () => false): void {
    const { platform } = this.#tuning;
    const steps = undecided(owner, this.#taken ?? this.#planned).filter((step) => !isLeft(step));
    if (this.#taken === undefined) this.#learn(handle, steps);
    else for (const step of steps) applyStep(platform, step, handle);
  }

  /** Set all options on the first socket, and keep those that the kernel takes for the next ones. */
  #learn(handle: SocketHandle, steps: readonly Step[]): void {
    const { platform, context } = this.#tuning;
    const outcomes = steps.map((step) => applyAndConfirm(platform, step, handle));
    // The kernel may take an option of IPv6 sockets from the next one.
    this.#taken = this.#planned.filter((step) => {
      const outcome = outcomes[steps.indexOf(step)];
      return step.row.ipv6Only || outcome === undefined || TAKEN.has(outcome.verdict);
    });
    this.#tuning.note(outcomes);
    warnOfFailures(context, outcomes);
  }
}

function isKeepAlive({ row }: Step): boolean {
  return row.key === 'keepAlive' || row.requires === 'keepAlive';
}

/** How outgoing sockets are tuned, all alike, or all to one port. */
export class OutgoingTuning implements Tuning {
  readonly context: HookContext;
  readonly values: OptionValues;
  readonly plan: Plan;
  readonly restored: readonly Step[];
  /** There is an option to set before connect(2), when Node has no socket yet. */
  readonly isEarly: boolean;
  readonly #keepAlive: readonly Step[];
  /** Before bind(2), and only of sockets that bind a local address. */
  readonly #localAddress: Moment;
  /** Before bind(2), or else before connect(2). */
  readonly #beforeBind: Moment;
  readonly #atConnect: Moment;
  readonly #onceConnected: Moment;
  #outcomes: readonly OptionOutcome[] = [];
  #hasNegotiated = false;
  #watch: PeerWatch | undefined;

  constructor(context: HookContext, values: OptionValues) {
    this.context = context;
    this.values = values;
    const kind = {
      target: 'outgoing',
      family: 'tcp',
      clientSpeaksFirst: true,
      exactBuffers: context.exactBuffers,
    } as const;
    this.plan = planToReport(context, values, kind);
    const { steps } = this.plan;
    const early = stepsBeforeBind(this.plan);
    const ofSocket = early.filter(({ row }) => !row.ofLocalAddress);
    const isLate = ({ row }: Step): boolean => context.guardsOnly || row.onceConnected === true;
    this.isEarly =
      !context.guardsOnly && (ofSocket.length > 0 || steps.some((step) => step.row.phase === 'before-handshake'));
    // An app that is only guarded has keepalive as Node sets it, where it asks for that.
    this.restored = steps.filter(({ row }) => row.rewrittenByNode && (!context.guardsOnly || this.#isNamed(row.key)));
    this.#keepAlive = steps.filter(isKeepAlive);
    this.#localAddress = new Moment(
      this,
      early.filter(({ row }) => row.ofLocalAddress),
    );
    this.#beforeBind = new Moment(this, ofSocket);
    this.#atConnect = new Moment(
      this,
      steps.filter((step) => !isLate(step) && !early.includes(step)),
    );
    this.#onceConnected = new Moment(this, steps.filter(isLate));
  }

  get platform(): ReturnType<HookContext['platform']> {
    return this.context.platform();
  }

  #isNamed(key: Step['row']['key']): boolean {
    return key !== 'raw' && this.context.asked.has(key);
  }

  /** Note the outcomes of the first socket, for the report. */
  note(outcomes: readonly OptionOutcome[]): void {
    if (outcomes.length === 0) return;
    this.#outcomes = [...this.#outcomes, ...outcomes];
    this.#report();
  }

  #report(): void {
    outgoingRecord.outcomes = [...this.#outcomes, ...this.plan.skipped];
    debug('first outgoing socket: %o', outgoingRecord.outcomes);
  }

  /** Set what is set before bind(2), on a socket that binds a local address. */
  setBeforeBind(handle: SocketHandle, owner: unknown): void {
    this.#localAddress.set(handle, owner);
    this.#beforeBind.set(handle, owner);
  }

  /**
   * Set what is set when connect(2) has begun, or ahead of it.
   *
   * @param isBound {@link setBeforeBind} came before
   */
  setAtConnect(handle: SocketHandle, owner: unknown, isBound: boolean): void {
    if (!isBound) this.#beforeBind.set(handle, owner);
    this.#atConnect.set(handle, owner);
    warnOfFailures(this.context, this.plan.skipped);
  }

  /**
   * Set what is set once the socket is connected.
   *
   * @param isKeptAlive the app has asked for keepalive: its times are Node's, unless the user has named them
   */
  setOnceConnected(handle: SocketHandle, owner: unknown, isKeptAlive: boolean): void {
    this.#onceConnected.set(handle, owner, (step) => isKeptAlive && isKeepAlive(step) && !this.restored.includes(step));
    if (isKeptAlive) this.tighten(handle);
  }

  /** The first connection shows what its peer makes of MPTCP. */
  noteNegotiated(handle: SocketHandle): void {
    const index = this.#outcomes.findIndex(({ option, asked }) => option === 'multipath' && asked === 1);
    if (this.#hasNegotiated || this.#outcomes[index]?.verdict !== 'applied') return;
    this.#hasNegotiated = true;
    const outcome = negotiatedOutcome(this.platform, handle);
    if (outcome.kernel === 1) return;
    this.#outcomes = this.#outcomes.map((known, at) => (at === index ? outcome : known));
    this.#report();
  }

  /** Set what Node has set to values of its own. */
  restore(handle: SocketHandle, owner: unknown): void {
    for (const step of undecided(owner, this.restored)) applyStep(this.platform, step, handle);
  }

  /**
   * An http.Agent, fetch and drivers bring times of their own, which nobody has chosen for this peer. Where `deadPeer` is the user's, longer
   * ones are not kept. The preset's time gives way to any.
   */
  tighten(handle: SocketHandle): void {
    const { deadPeer } = this.values;
    if (deadPeer === undefined || !this.#isChosen(deadPeer) || this.#keepAliveTime(handle) <= deadPeer) return;
    for (const step of this.#keepAlive) applyStep(this.platform, step, handle);
  }

  #isChosen(deadPeer: number): boolean {
    return this.context.asked.has('deadPeer') || !PRESET_TIMES.has(deadPeer);
  }

  /** Seconds after which keepalive ends a connection as it is set now; NaN where the kernel does not tell. */
  #keepAliveTime(handle: SocketHandle): number {
    const [idle, interval, count] = (['TCP_KEEPIDLE', 'TCP_KEEPINTVL', 'TCP_KEEPCNT'] as const).map((name) => {
      const constant = this.platform.constants[name];
      const isRead = constant !== undefined && this.platform.get(handle, constant, int) === 0;
      return isRead ? (int[0] ?? Number.NaN) : Number.NaN;
    });
    return (idle ?? Number.NaN) + (interval ?? Number.NaN) * (count ?? Number.NaN);
  }

  /** What watches connections, once the options are set on one; undefined where the kernel ends them by itself. */
  watch(): PeerWatch | undefined {
    const { deadPeer, answer, retransmitTimeoutMax } = this.values;
    const isTaken = this.#outcomes.some(
      ({ option, verdict }) => option === 'retransmitTimeoutMax' && TAKEN.has(verdict),
    );
    const deadPeerMs = deadPeer === undefined ? undefined : deadPeer * 1000;
    const isKernels = deadPeerMs === undefined || (isTaken && endsInTime(deadPeerMs, retransmitTimeoutMax));
    if (isKernels && answer === undefined) return undefined;
    const limits = {
      deadPeer: isKernels ? undefined : deadPeerMs,
      answer: answer === undefined ? undefined : answer * 1000,
    };
    this.#watch ??= new PeerWatch(this.platform, limits, endUnanswered);
    return this.#watch;
  }

  close(): void {
    this.#watch?.close();
  }
}
