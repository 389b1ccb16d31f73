import type { Mail, MailContent } from './mail.entity';

/** Writes mails at the moment when they are sent. Whoever has them sent provides one. */
export abstract class MailComposer {
  /**
   * @returns the address that it goes to and what it says, or undefined when there is nothing to send
   *   any more: to an account that nobody has, say
   */
  abstract compose(mail: Mail): Promise<ComposedMail | undefined>;
}

/** A mail as it is handed to a mail server. */
export interface ComposedMail extends MailContent {
  readonly to: string;
}
