import type { Platform, PortCalls } from '../../src/native/platform.js';

/** The calls on shared ports of a platform that has them. */
export function portsOf({ name, ports }: Platform): PortCalls {
  if (ports === undefined) throw new Error(`${name} has no calls on shared ports`);
  return ports;
}

/** The same platform, some of whose calls on shared ports are others. */
export function withPorts(platform: Platform, overrides: Partial<PortCalls>): Platform {
  return { ...platform, ports: { ...portsOf(platform), ...overrides } };
}
