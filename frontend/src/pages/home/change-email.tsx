import { Box, Stack, Text } from '@mantine/core';
import { type JSX, useState } from 'react';
import type { User } from '../../api/client';
import { useChangeEmail, useVerifyEmail } from '../../api/recovery';
import { CodeForm } from '../../components/code-form';
import { EmailField } from '../../components/email-field';
import { DialogForm } from '../../components/form-dialog';
import { keepFocus } from '../../components/keep-focus';
import { PasswordField } from '../../components/password-field';
import { required, useServiceForm } from '../../components/use-service-form';
import { useNotice } from '../../components/use-notice';
import { UsernameForManagers } from '../../components/username-field';
import { useSpeech } from '../../i18n/language';
import { fill } from '../../i18n/messages';
import { mailWords } from '../../i18n/problem-words';

const done = keepFocus((form) => form.closest('[role=dialog]'));

/** Gives me another address, once I have shown that it is mine. */
export function ChangeEmail({
  me,
  close,
}: {
  readonly me: User;
  readonly close: () => void;
}): JSX.Element {
  // As it was when the mails were asked for: it is another when the link of one is opened meanwhile.
  const [asked, setAsked] = useState<{ email: string; old: string }>();
  return asked === undefined ? (
    <Box ref={done}>
      <AskForm
        me={me}
        close={close}
        onAsked={(email) => {
          setAsked({ email, old: me.email });
        }}
      />
    </Box>
  ) : (
    <EnterCode asked={asked} close={close} />
  );
}

function AskForm({
  me,
  close,
  onAsked,
}: {
  readonly me: User;
  readonly close: () => void;
  readonly onAsked: (email: string) => void;
}): JSX.Element {
  const { t } = useSpeech();
  const change = useChangeEmail();
  const { form, onSubmit, problem } = useServiceForm(
    {
      initialValues: { email: '', password: '' },
      validate: { email: required, password: required },
    },
    change,
    {
      onSuccess: ({ email }) => {
        onAsked(email);
      },
      words: mailWords(change.error, t),
      at: { 409: { field: 'email', says: 'emailTaken' } },
    },
  );
  return (
    <DialogForm
      hint={t.changeEmailHint}
      submit={{ name: t.changeEmail }}
      working={change.isPending}
      onSubmit={onSubmit}
      close={close}
    >
      {problem}
      <EmailField
        label={t.newEmail}
        data-autofocus
        key={form.key('email')}
        {...form.getInputProps('email')}
      />
      <UsernameForManagers username={me.username} />
      <PasswordField
        label={t.currentPassword}
        autoComplete="current-password"
        required
        key={form.key('password')}
        {...form.getInputProps('password')}
      />
    </DialogForm>
  );
}

function EnterCode({
  asked,
  close,
}: {
  readonly asked: { readonly email: string; readonly old: string };
  readonly close: () => void;
}): JSX.Element {
  const { t } = useSpeech();
  const notice = useNotice();
  const verify = useVerifyEmail((typed: { token: string }) => ({ ...typed, email: asked.email }));
  return (
    <Stack>
      <Text size="sm" className="break-anywhere" role="status">
        {fill(t.changeSent, asked)}
      </Text>
      <CodeForm
        verify={verify}
        submit={t.confirm}
        onSuccess={() => {
          close();
          notice(t.emailChanged);
        }}
      />
    </Stack>
  );
}
