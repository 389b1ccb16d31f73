import type { JSX } from 'react';
import { VerifyByCode } from './verify-by-code';
import { VerifyByLink } from './verify-by-link';

/** Where the link of a mail to confirm an address leads, and who asks for another such mail. */
export default function VerifyEmailPage({ token }: { readonly token: string }): JSX.Element {
  return token === '' ? <VerifyByCode /> : <VerifyByLink token={token} />;
}
