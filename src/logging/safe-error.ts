import { databaseErrorCode } from '../database/database-errors';

/** What may be said of an error that nobody expected. */
export interface SafeError {
  readonly error: string;
  readonly code?: string;
  readonly message?: string;
  /** Where it happened. */
  readonly stack: readonly string[];
}

/** Why something failed, in a word or a sentence that may be said: PostgreSQL's or Node's code if there is one. */
export function reasonOf(thrown: unknown): string {
  const { code, message } = safeError(thrown);
  return code ?? message ?? '';
}

/**
 * Kind and place of an error, for logs and for the terminal. Not the message of a database error,
 * nor its query and parameters: they hold what a person typed.
 */
export function safeError(thrown: unknown): SafeError {
  const error = thrown instanceof Error ? thrown : new Error(typeof thrown);
  const code = databaseErrorCode(error);
  return {
    error: error.name,
    ...(code === '' ? { message: error.message } : { code }),
    // Its first lines are the message.
    stack: error.stack?.split('\n').filter((line) => /^ +at /.test(line)) ?? [],
  };
}
