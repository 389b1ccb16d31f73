import {
  EntityMetadataNotFoundError,
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
} from 'typeorm';

/** PostgreSQL, Appendix A. */
const UNIQUE_VIOLATION = '23505';

/**
 * Classes and codes of SQLSTATE that say nothing about the statement: the server is away, starting,
 * stopping, full, read-only, gave up on time or on a lock, does not let us in or do this (42501), or
 * its schema is not the one this version needs (42P01, 42703).
 */
const UNAVAILABLE =
  /^(08\w{3}|25006|28\w{3}|3D000|40001|40P01|42703|42P01|42501|53\w{3}|55P03|57\w{3}|58\w{3})$/;

/** What Node and pg say of a connection that is not there; pg gives these no code. */
const NO_CONNECTION =
  /^(ECONNREFUSED|ECONNRESET|ENOENT|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;
const NO_CONNECTION_MESSAGE =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Cannot use a pool after calling end|Driver not Connected)/;

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

/** Whether a request failed because the database cannot serve anyone right now. */
export function isDatabaseUnavailable(error: unknown): boolean {
  // No metadata: the service is up, and has not reached its database since.
  if (error instanceof EntityMetadataNotFoundError) return true;
  // The server has ended the connection between two statements of a transaction.
  if (error instanceof QueryRunnerAlreadyReleasedError) return true;
  const code = databaseErrorCode(error);
  return (
    UNAVAILABLE.test(code) ||
    NO_CONNECTION.test(code) ||
    NO_CONNECTION_MESSAGE.test(textMember(driverErrorOf(error), 'message'))
  );
}
