import { useLocalStorage } from '@mantine/hooks';
import { createContext, type JSX, type ReactNode, use, useEffect, useMemo } from 'react';
import { setApiLanguage } from '../api/client';
import { catalogues, type Language, type Messages } from './messages';

interface Speech {
  readonly language: Language;
  readonly setLanguage: (language: Language) => void;
  /** What the page says, in that language. */
  readonly t: Messages;
}

const SpeechContext = createContext<Speech | null>(null);

/** The first language of the browser that the page speaks; English for those who wish for neither. */
export function browserLanguage(wished: readonly string[] = navigator.languages): Language {
  for (const tag of wished) {
    if (/^ko\b/i.test(tag)) return 'ko';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}

export function LanguageProvider({ children }: { readonly children: ReactNode }): JSX.Element {
  const [language, setLanguage] = useLocalStorage<Language>({
    key: 'language',
    defaultValue: browserLanguage(),
    getInitialValueInEffect: false,
    deserialize: (value) => (value === 'ko' || value === 'en' ? value : browserLanguage()),
    serialize: (value) => value,
  });
  const t = catalogues[language];
  // Before the first request of this language, not after it has been drawn.
  setApiLanguage(language);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const speech = useMemo(() => ({ language, setLanguage, t }), [language, setLanguage, t]);
  return <SpeechContext value={speech}>{children}</SpeechContext>;
}

/** The language of the page, and its words. */
export function useSpeech(): Speech {
  const speech = use(SpeechContext);
  if (speech === null) throw new Error('Outside LanguageProvider nobody speaks');
  return speech;
}
