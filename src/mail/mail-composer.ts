import type { Mail } from './mail.entity';

/** What is known of a mail before it is written. */
export type MailToWrite = Pick<Mail, 'id' | 'kind' | 'userId' | 'recipient' | 'language'>;

/** Writes mails at the moment when they are sent. Whoever has them sent provides one. */
export abstract class MailComposer {
  /**
   * @returns the address that it goes to and what it says, or undefined when there is nothing to send
   *   any more: to an account that nobody has, say
   */
  abstract compose(mail: MailToWrite): Promise<ComposedMail | undefined>;
}

/** A mail as it is handed to a mail server. */
export interface ComposedMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}
