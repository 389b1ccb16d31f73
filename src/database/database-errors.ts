import {
  EntityMetadataNotFoundError,
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
} from 'typeorm';

/** No connection to the database, whyever, or no answer on it in time. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
  /** SQLSTATE, or Node's code, of what went wrong; empty when nobody said. */
  readonly code: string;

  constructor(message: string, cause?: Error) {
    super(message, { cause });
    this.code = textMember(cause, 'code');
  }
}

/** PostgreSQL, Appendix A. */
const UNIQUE_VIOLATION = '23505';

/**
 * Classes and codes of SQLSTATE that say nothing about the statement: the server is away, starting,
 * stopping, full, read-only, gave up on time or on a lock, does not let us in or do this (42501), or
 * its schema is not the one this version needs (42P01, 42703).
 */
const UNAVAILABLE =
  /^(08\w{3}|25006|25P03|28\w{3}|3D000|40001|40P01|42703|42P01|42501|53\w{3}|55P03|57\w{3}|58\w{3})$/;

/** The server takes no writes: another has become the leader, or it was told so. */
const READ_ONLY = '25006';

/** A transaction that the server has undone because of another one: there is no sign of it. */
const UNDONE = /^(40001|40P01)$/;

/** What the server, Node and pg say of a connection that there was; pg gives these no code. */
const DROPPED = /^(08\w{3}|25P03|57P0[1-3]|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/;
const DROPPED_MESSAGE = /^(Connection terminated|Client has encountered a connection error)/;

/** What there is to hear of a service that has not reached its database, or leaves it. */
const NOT_CONNECTED_MESSAGE = /^(Cannot use a pool after calling end|Driver not Connected)/;

function driverErrorOf(error: unknown): unknown {
  return error instanceof QueryFailedError ? error.driverError : error;
}

function textMember(error: unknown, name: string): string {
  const value: unknown = error instanceof Error ? Reflect.get(error, name) : undefined;
  return typeof value === 'string' ? value : '';
}

/** SQLSTATE of a failed statement, or the code of a failed connection; empty when there is none. */
export function databaseErrorCode(error: unknown): string {
  return textMember(driverErrorOf(error), 'code');
}

/** Name of the unique constraint that a statement would have broken, if that is why it failed. */
export function violatedUniqueConstraint(error: unknown): string | undefined {
  return error instanceof QueryFailedError && databaseErrorCode(error) === UNIQUE_VIOLATION
    ? textMember(error.driverError, 'constraint')
    : undefined;
}

/**
 * Whether a statement would have broken a rule that others have made for the tables they share with
 * the service: a foreign key, a check, a trigger.
 */
export function isRefusedByData(error: unknown): boolean {
  return /^(23|P0)\w{3}$/.test(databaseErrorCode(error));
}

/** Whether the server of this connection takes no writes, which another may. */
export function isReadOnly(error: unknown): boolean {
  return databaseErrorCode(error) === READ_ONLY;
}

/** Whether the server has undone the transaction by itself, which may go well the next time. */
export function isUndone(error: unknown): boolean {
  return UNDONE.test(databaseErrorCode(error));
}

/**
 * Whether the connection was lost on which a statement was sent, or between two of a transaction.
 * Nobody knows what became of the last one.
 */
export function isConnectionDropped(error: unknown): boolean {
  if (
    error instanceof QueryRunnerAlreadyReleasedError ||
    error instanceof QueryRunnerProviderAlreadyReleasedError
  ) {
    return true;
  }
  const cause = driverErrorOf(error);
  // Never had, or given up: trying again at once would not help.
  if (cause instanceof DatabaseUnavailable) return false;
  return (
    DROPPED.test(databaseErrorCode(error)) || DROPPED_MESSAGE.test(textMember(cause, 'message'))
  );
}

/** Whether a request failed because the database cannot serve anyone right now. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const cause = driverErrorOf(error);
  return (
    // No metadata: the service is up, and has not reached its database since.
    error instanceof EntityMetadataNotFoundError ||
    cause instanceof DatabaseUnavailable ||
    isConnectionDropped(error) ||
    UNAVAILABLE.test(databaseErrorCode(error)) ||
    NOT_CONNECTED_MESSAGE.test(textMember(cause, 'message'))
  );
}
