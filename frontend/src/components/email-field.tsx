import { TextInput, type TextInputProps } from '@mantine/core';
import type { JSX } from 'react';
import { useSpeech } from '../i18n/language';

export function EmailField(props: TextInputProps): JSX.Element {
  const { t } = useSpeech();
  return <TextInput label={t.email} type="email" autoComplete="email" required {...props} />;
}
