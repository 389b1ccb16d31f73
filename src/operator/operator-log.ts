import type { Logger } from 'pino';
import { logSecurity, type SecurityEvent } from '../logging/security-log';

/** Writes down what an operator does. */
export class OperatorLog {
  /** @param operator who it is: their account on this machine */
  constructor(
    private readonly log: Logger,
    private readonly operator: string,
  ) {}

  /** Something was done to an account. */
  account(event: SecurityEvent, account: number): void {
    logSecurity(this.log, event, { account, operator: this.operator });
  }

  /** Something was done to a mail. */
  mail(event: SecurityEvent, mail: string): void {
    logSecurity(this.log, event, { mail, operator: this.operator });
  }

  /** Something was done to many. @param counts how many there were of each kind, once that is known */
  accounts(event: SecurityEvent, counts?: Readonly<Record<string, number>>): void {
    logSecurity(this.log, event, { operator: this.operator, ...(counts && { counts }) });
  }
}
