import type { Logger } from 'pino';

/** What happened, in the manner of OWASP's Logging Vocabulary Cheat Sheet. */
export type SecurityEvent =
  | 'authn_login_success'
  | 'authn_login_fail'
  | 'authn_login_lock'
  | 'authn_password_change'
  | 'authn_password_change_fail'
  | 'authn_token_created'
  | 'authn_token_invalid'
  | 'authn_token_reuse'
  | 'authn_token_revoked'
  | 'authz_fail'
  | 'excess_rate_limit_exceeded'
  | 'email_change_requested'
  | 'email_reverted'
  | 'email_verified'
  | 'password_reset'
  | 'password_reset_requested'
  | 'user_created'
  | 'user_updated'
  | 'user_deleted'
  | 'user_deleted_fail';

/** Writes the line that an operator looks for afterwards: ids, and never a name or a secret. */
export function logSecurity(
  log: Logger,
  event: SecurityEvent,
  ids: { account?: number | undefined; session?: string | undefined; door?: string } = {},
): void {
  log.info({ event, ...ids }, 'security');
}
