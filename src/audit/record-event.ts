import type { Logger } from 'pino';
import type { EntityManager } from 'typeorm';
import { afterCommit } from '../database/after-commit';
import { logSecurity, type SecurityEvent } from '../logging/security-log';
import type { Outcome } from './audit-event.entity';

/** Who did something: a client, or an operator at the machine. */
export interface Actor {
  readonly log: Logger;
  /** Where a client is. */
  readonly ip?: string | null;
  /** The account on the machine of an operator. */
  readonly operator?: string;
}

/** What something was done to. */
interface Subject {
  readonly account?: number | undefined;
  readonly session?: string | undefined;
}

const FAILURES: ReadonlySet<SecurityEvent> = new Set([
  'authn_login_fail',
  'authn_login_lock',
  'authn_login_unverified',
  'authn_password_change_fail',
  'authn_token_reuse',
  'email_change_fail',
  'email_verify_fail',
  'user_deleted_fail',
]);

/** Of an event, whether it is that somebody did not get what they tried to. */
export function outcomeOf(event: SecurityEvent): Outcome {
  return FAILURES.has(event) ? 'failure' : 'success';
}

/**
 * Adds an event to the audit trail, in the transaction of what has happened: both are there, or neither.
 * The line of the log comes once it is committed. The deletion of an account is recorded by a trigger.
 */
export async function recordEvent(
  manager: EntityManager,
  { log, ip = null, operator }: Actor,
  event: SecurityEvent,
  { account, session }: Subject = {},
): Promise<void> {
  await manager.query(
    `INSERT INTO audit_event (kind, outcome, account, session, address, operator)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [event, outcomeOf(event), account ?? null, session ?? null, ip, operator ?? null],
  );
  afterCommit(manager, () => {
    logSecurity(log, event, { account, session, operator });
  });
}

/** The same for some things that it was done to at once. */
export async function recordEvents(
  manager: EntityManager,
  { log, ...actor }: Actor,
  event: SecurityEvent,
  subjects: readonly Subject[],
): Promise<void> {
  if (subjects.length === 0) return;
  await recordEach(manager, actor, event, subjects);
  afterCommit(manager, () => {
    for (const { account, session } of subjects) {
      logSecurity(log, event, { account, session, operator: actor.operator });
    }
  });
}

/** The same for any number, which the log has no lines of. */
export async function recordEach(
  manager: EntityManager,
  { ip = null, operator }: Omit<Actor, 'log'>,
  event: SecurityEvent,
  subjects: readonly Subject[],
): Promise<void> {
  await manager.query(
    `INSERT INTO audit_event (kind, outcome, account, session, address, operator)
     SELECT $1, $2, account, session, $5, $6
       FROM unnest($3::int[], $4::uuid[]) AS subject (account, session)`,
    [
      event,
      outcomeOf(event),
      subjects.map(({ account }) => account ?? null),
      subjects.map(({ session }) => session ?? null),
      ip,
      operator ?? null,
    ],
  );
}
