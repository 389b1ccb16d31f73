import { Button } from '@mantine/core';
import type { JSX } from 'react';
import { Link } from 'react-router';
import { useSpeech } from '../../i18n/language';
import { AuthPage } from '../auth-page';

/** The password is another: on to log in with it. */
export function ResetDone(): JSX.Element {
  const { t } = useSpeech();
  return (
    <AuthPage title={t.resetDone} hint={t.resetDoneHint} step="done">
      <Button component={Link} to="/login" size="md" fullWidth>
        {t.logIn}
      </Button>
    </AuthPage>
  );
}
