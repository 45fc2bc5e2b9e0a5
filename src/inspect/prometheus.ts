// The part of prom-client that metrics.ts uses, for the bundle. Its index would bring default metrics and OpenTelemetry along.
import Counter from 'prom-client/lib/counter.js';
import Gauge from 'prom-client/lib/gauge.js';
import Registry from 'prom-client/lib/registry.js';

export { Counter, Gauge, Registry };
