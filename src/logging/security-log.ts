import type { Logger } from 'pino';

/** What may happen, in the manner of OWASP's Logging Vocabulary Cheat Sheet. */
export const SECURITY_EVENTS = [
  'authn_login_success',
  'authn_login_fail',
  'authn_login_lock',
  'authn_login_unlock',
  'authn_login_unverified',
  'authn_password_change',
  'authn_password_change_fail',
  'authn_password_removed',
  'authn_token_created',
  'authn_token_invalid',
  'authn_token_reuse',
  'authn_token_revoked',
  'authn_tokens_revoked',
  'authz_fail',
  'excess_rate_limit_exceeded',
  'email_change_fail',
  'email_change_requested',
  'email_changed',
  'email_reverted',
  'email_verified',
  'email_verify_fail',
  'mail_retried',
  'password_reset',
  'password_reset_requested',
  'password_reset_sent',
  'user_created',
  'user_shown',
  'user_updated',
  'user_disabled',
  'user_enabled',
  'user_deleted',
  'user_deleted_fail',
  'users_export_begun',
  'users_exported',
  'users_import_begun',
  'users_imported',
] as const;

export type SecurityEvent = (typeof SECURITY_EVENTS)[number];

/** What an event is about. */
export interface EventDetails {
  readonly account?: number | undefined;
  readonly session?: string | undefined;
  /** Of the outbox. */
  readonly mail?: string;
  /** What was done too often; see `Limits`. */
  readonly door?: string;
  /** Who did it, if it was an operator: their account on the machine. */
  readonly operator?: string | undefined;
  /** Of many accounts at once: how many there were of each kind. */
  readonly counts?: Readonly<Record<string, number>>;
}

type Listener = (event: SecurityEvent, details: EventDetails) => void;

/** Where a logger has its listener. Its children have it too: pino makes them inherit from it. */
const LISTENER = Symbol('security events');

type Listening = Logger & { [LISTENER]?: Listener };

/** Tells somebody of every event that is logged, by this logger or by a child of it. */
export function onSecurityEvent(log: Logger, listener: Listener): void {
  (log as Listening)[LISTENER] = listener;
}

/** Writes the line that an operator looks for afterwards: ids, and never a name or a secret. */
export function logSecurity(log: Logger, event: SecurityEvent, details: EventDetails = {}): void {
  log.info({ event, ...details }, 'security');
  (log as Listening)[LISTENER]?.(event, details);
}
