import { Stack } from '@mantine/core';
import type { JSX } from 'react';
import type { Mutation } from '../api/queries';
import { useSpeech } from '../i18n/language';
import { ActionButton } from './action-button';
import { CodeField, codeRule, withDigits } from './code-field';
import { useServiceForm } from './use-service-form';

/** Confirms an address with the code that was sent there. */
export function CodeForm({
  verify,
  submit,
  onSuccess,
}: {
  /** Of whoever stays when the address is confirmed, and this form goes. */
  readonly verify: Mutation<{ token: string }>;
  readonly submit: string;
  readonly onSuccess?: () => void;
}): JSX.Element {
  const { t } = useSpeech();
  const { form, onSubmit, problem } = useServiceForm(
    { initialValues: { token: '' }, validate: { token: codeRule }, transformValues: withDigits },
    verify,
    { words: { 409: t.takenMeanwhile }, ...(onSuccess !== undefined && { onSuccess }) },
  );
  return (
    <form onSubmit={onSubmit} noValidate>
      <Stack gap="sm">
        {problem}
        <CodeField key={form.key('token')} {...form.getInputProps('token')} />
        <ActionButton type="submit" working={verify.isPending}>
          {submit}
        </ActionButton>
      </Stack>
    </form>
  );
}
