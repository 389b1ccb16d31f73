import { Stack } from '@mantine/core';
import type { JSX } from 'react';
import { useSignUp } from '../api/queries';
import { ActionButton } from '../components/action-button';
import { EmailField } from '../components/email-field';
import { newPasswordRules, NewPasswordFields } from '../components/new-password-fields';
import { required, useServiceForm } from '../components/use-service-form';
import { UsernameField } from '../components/username-field';
import { useSpeech } from '../i18n/language';
import { AuthPage } from './auth-page';

export function SignUpPage(): JSX.Element {
  const { t } = useSpeech();
  const signUp = useSignUp();
  const { form, onSubmit, problem } = useServiceForm(
    {
      initialValues: { username: '', email: '', password1: '', password2: '' },
      validate: { username: required, email: required, ...newPasswordRules },
    },
    signUp,
    { words: { 409: t.taken } },
  );
  return (
    <AuthPage
      title={t.create}
      hint={t.createHint}
      other={{ question: t.haveAccount, to: '/login', name: t.logIn }}
    >
      <form onSubmit={onSubmit} noValidate>
        <Stack>
          {problem}
          <UsernameField key={form.key('username')} {...form.getInputProps('username')} />
          <EmailField key={form.key('email')} {...form.getInputProps('email')} />
          <NewPasswordFields
            form={form}
            label={t.password}
            about={() => {
              const { username, email } = form.getValues();
              return [username, email];
            }}
          />
          <ActionButton type="submit" size="md" mt="xs" working={signUp.isPending}>
            {t.signUp}
          </ActionButton>
        </Stack>
      </form>
    </AuthPage>
  );
}
