import { Center, SegmentedControl, useMantineColorScheme } from '@mantine/core';
import { IconDeviceDesktop, IconMoon, IconSun } from '@tabler/icons-react';
import type { JSX } from 'react';
import { useSpeech } from '../i18n/language';

/** Light or dark, or as the system has it, which is how it begins. */
export function SchemeSwitch(): JSX.Element {
  const { t } = useSpeech();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const schemes = [
    ['auto', IconDeviceDesktop, t.system],
    ['light', IconSun, t.light],
    ['dark', IconMoon, t.dark],
  ] as const;
  return (
    <SegmentedControl
      aria-label={t.colours}
      size="xs"
      value={colorScheme}
      onChange={setColorScheme}
      data={schemes.map(([value, SchemeIcon, name]) => ({
        value,
        label: (
          <Center style={{ gap: 6 }}>
            <SchemeIcon size={16} aria-hidden />
            {name}
          </Center>
        ),
      }))}
    />
  );
}
