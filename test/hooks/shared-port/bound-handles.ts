import { bindHandle } from '../../../src/hooks/shared-port/reuse-port.js';
import { type BoundHandle, closeHandle, type SocketHandle } from '../../../src/node/net.js';

/** Handles of a suite's tests. What is tracked is closed after each. */
export interface BoundHandles {
  track<H extends SocketHandle>(handle: H): H;
  /** Bind a handle as Node does; undefined if the address is taken. */
  bind(address: string, port: number, flags?: number): BoundHandle | undefined;
}

function portOfHandle(handle: BoundHandle): number | undefined {
  const name: { port?: number } = {};
  handle.getsockname?.(name);
  return name.port;
}

export function useBoundHandles(): BoundHandles {
  const handles: SocketHandle[] = [];
  afterEach(() => {
    for (const handle of handles.splice(0)) closeHandle(handle);
  });
  const track = <H extends SocketHandle>(handle: H): H => {
    handles.push(handle);
    return handle;
  };
  return {
    track,
    bind(address, port, flags = 0) {
      const handle = bindHandle({ address, port, addressType: address.includes(':') ? 6 : 4, flags });
      if (typeof handle !== 'object') return undefined;
      track(handle);
      // libuv keeps EADDRINUSE for listen(2), and leaves the handle without a port.
      return (portOfHandle(handle) ?? 0) > 0 ? handle : undefined;
    },
  };
}
