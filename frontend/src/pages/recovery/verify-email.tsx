import type { JSX } from 'react';
import { VerifyByCode } from './verify-by-code';
import { VerifyByLink } from './verify-by-link';

/**
 * Where the link of a mail to confirm an address leads, and who asks for another such mail.
 *
 * @param isChange whether an account is to have another address
 */
export default function VerifyEmailPage({
  token,
  isChange = false,
}: {
  readonly token: string;
  readonly isChange?: boolean;
}): JSX.Element {
  return token === '' ? <VerifyByCode /> : <VerifyByLink token={token} isChange={isChange} />;
}
