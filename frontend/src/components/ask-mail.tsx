import { Stack, Text } from '@mantine/core';
import type { JSX } from 'react';
import type { Mutation } from '../api/queries';
import { useSpeech } from '../i18n/language';
import { mailWords } from '../i18n/problem-words';
import { ActionButton } from './action-button';
import { EmailField } from './email-field';
import { ProblemAlert } from './problem-alert';
import { required, useServiceForm } from './use-service-form';

/** Asks for a mail, wherever it is to go. */
export function AskMailForm({
  ask,
  onAsked,
}: {
  readonly ask: Mutation<{ email: string }>;
  readonly onAsked: (email: string) => void;
}): JSX.Element {
  const { t } = useSpeech();
  const { form, onSubmit, problem } = useServiceForm(
    { initialValues: { email: '' }, validate: { email: required } },
    ask,
    {
      onSuccess: ({ email }) => {
        onAsked(email);
      },
      words: mailWords(ask.error, t),
    },
  );
  return (
    <form onSubmit={onSubmit} noValidate>
      <Stack>
        {problem}
        <EmailField key={form.key('email')} {...form.getInputProps('email')} />
        <ActionButton type="submit" size="md" mt="xs" working={ask.isPending}>
          {t.sendMail}
        </ActionButton>
      </Stack>
    </form>
  );
}

/** What helps when no mail comes: to wait, and to ask for it again. */
export function AskMailAgain<Body>({
  ask,
  body,
}: {
  readonly ask: Mutation<Body>;
  readonly body: Body;
}): JSX.Element {
  const { t } = useSpeech();
  return (
    <Stack gap="xs">
      <Text size="sm" c="dimmed">
        {t.noMailYet}
      </Text>
      <ProblemAlert error={ask.error} words={mailWords(ask.error, t)} />
      <ActionButton
        variant="default"
        working={ask.isPending}
        onClick={() => {
          ask.mutate(body);
        }}
      >
        {t.sendAgain}
      </ActionButton>
      <Text size="sm" role="status">
        {ask.isSuccess && t.askedAgain}
      </Text>
    </Stack>
  );
}
