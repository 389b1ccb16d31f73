import { Button } from '@mantine/core';
import type { JSX } from 'react';
import { Link } from 'react-router';
import type { User } from '../../api/client';
import { useMe } from '../../api/queries';
import { useSpeech } from '../../i18n/language';
import { fill } from '../../i18n/messages';
import { AuthPage } from '../auth-page';

/**
 * An address is confirmed, and this is what became of its account.
 *
 * @param by whoever was logged in when it was, as they were before; or else whoever knew the password,
 *   or did not
 */
export function VerifyDone({ by }: { readonly by: User | 'owner' | 'stranger' }): JSX.Element {
  const { t } = useSpeech();
  const { data: me = null } = useMe();
  if (by === 'stranger') {
    return (
      <AuthPage
        title={t.verifyDone}
        hint={t.verifyDoneStranger}
        step="done"
        other={{ question: t.noMailYet, to: '/forgot-password', name: t.askAnother }}
      />
    );
  }
  if (by === 'owner') {
    return (
      <AuthPage title={t.verifyDone} hint={t.verifyDoneOwner} step="done">
        <Button component={Link} to="/login" size="md" fullWidth>
          {t.logIn}
        </Button>
      </AuthPage>
    );
  }
  const { email, email_verified_at: verifiedAt } = me ?? by;
  // A link says nothing of whose it is.
  const isOther = verifiedAt === by.email_verified_at;
  return (
    <AuthPage
      title={t.verifyDone}
      hint={
        isOther ? fill(t.verifyDoneOther, { name: by.username }) : fill(t.verifyDoneHint, { email })
      }
      step="done"
    >
      <Button component={Link} to="/" size="md" fullWidth>
        {t.home}
      </Button>
    </AuthPage>
  );
}
