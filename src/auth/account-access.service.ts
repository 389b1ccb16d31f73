import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Outbox } from '../mail/outbox.service';
import { RecoveryTokenService } from '../recovery/recovery-token.service';
import { ReferenceTokenService } from '../session/reference-token.service';
import { SessionService } from '../session/session.service';

/**
 * Ends what lets somebody into an account, in the transaction of what is the reason, which has locked
 * the account.
 */
@Injectable()
export class AccountAccess {
  constructor(
    private readonly sessions: SessionService,
    private readonly referenceTokens: ReferenceTokenService,
    private readonly recoveryTokens: RecoveryTokenService,
    private readonly outbox: Outbox,
  ) {}

  /** Every login, and every token of the reference. @param except login of this id */
  async endLogins(manager: EntityManager, userId: number, except?: string): Promise<void> {
    await this.referenceTokens.endAll(manager, userId);
    await this.sessions.endAll(manager, userId, except);
  }

  /**
   * The logins, and whatever somebody who knew the password may have prepared to get in again: mails
   * to reset it, and a change of address that waits to be confirmed.
   *
   * @param except login of this id
   */
  async end(manager: EntityManager, userId: number, except?: string): Promise<void> {
    await this.endLogins(manager, userId, except);
    await this.recoveryTokens.endAll(manager, userId, ['reset', 'change']);
    await this.outbox.withdraw(manager, userId, 'change');
  }
}
