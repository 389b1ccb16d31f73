import { PasswordInput, type PasswordInputProps } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { JSX } from 'react';
import { useSpeech } from '../i18n/language';

/** A password that can be shown, by keyboard too. */
export function PasswordField(props: PasswordInputProps): JSX.Element {
  const { t } = useSpeech();
  const [visible, { toggle }] = useDisclosure(false);
  return (
    <PasswordInput
      visible={visible}
      onVisibilityChange={toggle}
      visibilityToggleButtonProps={{
        'aria-label': visible ? t.hidePassword : t.showPassword,
        'aria-hidden': false,
        tabIndex: 0,
      }}
      // Mantine says so of other fields by itself.
      aria-invalid={Boolean(props.error)}
      {...props}
    />
  );
}
