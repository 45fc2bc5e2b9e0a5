/** The answer of the routes without a file. */
export const ANSWER = { message: 'Hello, world', items: [1, 2, 3] } as const;
