/** What an operator has asked for and cannot be done; the message says why, and what to do. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
}
