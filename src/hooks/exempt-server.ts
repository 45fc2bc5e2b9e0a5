/** Our own servers, which are neither tuned nor counted nor drained. */
const exempt = new WeakMap<object, true>();

/** Leave a server alone when it listens, and when the process ends. */
export function exemptServer(server: object): void {
  exempt.set(server, true);
}

export function isExempt(server: object): boolean {
  return exempt.get(server) === true;
}
