import { Button, Stack } from '@mantine/core';
import type { JSX } from 'react';
import { Link, Navigate } from 'react-router';
import { useResetPassword } from '../../api/recovery';
import { ActionButton } from '../../components/action-button';
import {
  type NewPassword,
  newPasswordRules,
  NewPasswordFields,
} from '../../components/new-password-fields';
import { useServiceForm } from '../../components/use-service-form';
import { useSpeech } from '../../i18n/language';
import { isUsedUp } from '../../i18n/problem-words';
import { AuthPage } from '../auth-page';
import { ResetDone } from './reset-done';

/** Where the link of a mail to choose another password leads. */
export default function ResetPasswordPage({ token }: { readonly token: string }): JSX.Element {
  const { t } = useSpeech();
  const reset = useResetPassword((typed: NewPassword) => ({ ...typed, token }));
  const { form, onSubmit, problem } = useServiceForm(
    { initialValues: { password1: '', password2: '' }, validate: newPasswordRules },
    reset,
  );
  if (token === '') return <Navigate to="/forgot-password" replace />;
  if (reset.isSuccess) return <ResetDone />;
  if (isUsedUp(reset.error)) {
    return (
      <AuthPage title={t.resetTitle} hint={t.usedHint} step="used">
        <Stack>
          {problem}
          <Button component={Link} to="/forgot-password" size="md">
            {t.askAnother}
          </Button>
        </Stack>
      </AuthPage>
    );
  }
  return (
    <AuthPage
      title={t.resetTitle}
      hint={t.resetHint}
      step="password"
      other={{ question: t.remembered, to: '/login', name: t.logIn }}
    >
      <form onSubmit={onSubmit} noValidate>
        <Stack>
          {problem}
          <NewPasswordFields form={form} label={t.newPassword} about={() => []} />
          <ActionButton type="submit" size="md" mt="xs" working={reset.isPending}>
            {t.changePassword}
          </ActionButton>
        </Stack>
      </form>
    </AuthPage>
  );
}
