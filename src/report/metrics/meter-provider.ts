/** MeterProvider of @opentelemetry/api, as far as we use it. */
export interface MeterProvider {
  getMeter(name: string): Meter;
}

/** An instrument, which only its own meter reads. */
export type Instrument = object;

interface InstrumentOptions {
  readonly description: string;
  readonly unit: string;
}

export interface ObservableResult {
  observe(instrument: Instrument, value: number, attributes: Attributes): void;
}

export type Attributes = Readonly<Record<string, string | number>>;

type BatchCallback = (result: ObservableResult) => void;

export interface Meter {
  createObservableCounter(name: string, options: InstrumentOptions): Instrument;
  createObservableUpDownCounter(name: string, options: InstrumentOptions): Instrument;
  createObservableGauge(name: string, options: InstrumentOptions): Instrument;
  addBatchObservableCallback(callback: BatchCallback, instruments: Instrument[]): void;
  removeBatchObservableCallback(callback: BatchCallback, instruments: Instrument[]): void;
}

/** Every copy of @opentelemetry/api 1.x puts what the app registers there (its src/internal/global-utils.ts). */
const API = Symbol.for('opentelemetry.js.api.1');

function propertyOf(object: unknown, key: PropertyKey): unknown {
  return typeof object === 'object' && object !== null ? Reflect.get(object, key) : undefined;
}

function isMeterProvider(value: unknown): value is MeterProvider {
  return typeof propertyOf(value, 'getMeter') === 'function';
}

type Use = (provider: MeterProvider | undefined) => void;

let onProvider: Use | undefined;
let known: unknown;

/**
 * Call back with the app's meter provider when it is found, and with another or none when that changes. Nothing is loaded for it, and
 * nothing is put in its way: {@link lookForMeterProvider} looks.
 *
 * @returns an undo, which calls back with none
 */
export function watchMeterProvider(use: Use): () => void {
  onProvider = use;
  lookForMeterProvider();
  return () => {
    if (onProvider !== use) return;
    onProvider = undefined;
    known = undefined;
    use(undefined);
  };
}

/** Look whether the app has a meter provider now. Costs the reading of two properties while nothing changes. */
export function lookForMeterProvider(): void {
  if (onProvider === undefined) return;
  const provider = propertyOf(Reflect.get(globalThis, API), 'metrics');
  if (provider === known) return;
  known = provider;
  onProvider(isMeterProvider(provider) ? provider : undefined);
}
