//! Phrases of our old private dialect, each with the usual English for it.

use crate::{Finding, Repository};

/// Words that must not follow each other, with `|` between alternatives, and what to write instead.
/// After the word `-w` starts with, the phrase is good English.
const BANNED: [(&str, &str); 13] = [
    ("-there is|are none", "\"does not exist\", \"is not valid\" or \"there is no ...\""),
    ("stand|stands|stood behind", "follows, comes after"),
    ("stand|stands|stood divided", "is divided; is in Montgomery form"),
    ("stand|stands|stood for itself", "is independent; is not encoded"),
    ("make|makes|making|made ready", "prepare, prepared"),
    ("put|puts|putting away", "store, stored in ..."),
    ("put|puts|putting right", "correct, repair"),
    ("hand|hands|handed|handing on", "pass, passed"),
    ("look|looks|looked at each", "checks each"),
    ("is|are|was|were looked at", "is checked, is read"),
    ("no peer is left", "all peers failed: each peer, and why"),
    ("bytes it has", "expected N bytes, got M"),
    ("he|his log|key|op|ops|writer|clock|signature|entry|run", "they, their"),
];

/// Files with prose; of code, comments and messages count, and so do names.
const PROSE: [&str; 9] =
    [".rs", ".md", ".in", ".toml", ".proto", ".sh", ".mjs", ".html", "Makefile"];

/// Banned phrases, also those that a line break divides.
#[must_use]
pub fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, text) in repository.all() {
        // This file has to name the phrases.
        if file == "tidy/src/words.rs" || !PROSE.iter().any(|suffix| file.ends_with(suffix)) {
            continue;
        }
        let words = words(text);
        for start in 0..words.len() {
            for (phrase, instead) in BANNED {
                if let Some(count) = matches(&words, start, phrase) {
                    let found: Vec<_> = words[start..][..count].iter().map(|w| w.text).collect();
                    let what = format!("\"{}\": write {instead}", found.join(" "));
                    findings.push(Finding { file: file.to_owned(), line: words[start].line, what });
                }
            }
        }
    }
    findings
}

struct Word<'a> {
    text: &'a str,
    line: usize,
    /// Only spaces, line breaks and comment marks are between the word before and this one.
    joined: bool,
}

fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let content = line.trim_start().trim_start_matches(['/', '!', '#', '*', ' ']);
        let mut end = 0;
        for text in content.split(|c: char| !(c.is_alphanumeric() || c == '_')) {
            let start = text.as_ptr() as usize - content.as_ptr() as usize;
            if text.is_empty() {
                continue;
            }
            let joined = content[end..start].chars().all(char::is_whitespace);
            end = start + text.len();
            words.push(Word { text, line: i + 1, joined });
        }
        // What ends a line also divides its last word from the first of the next.
        if !content[end..].trim().is_empty() {
            words.push(Word { text: "", line: i + 1, joined: false });
        }
    }
    words
}

/// The number of words of `phrase`, if it starts at `start`.
fn matches(words: &[Word<'_>], start: usize, phrase: &str) -> Option<usize> {
    let is = |word: &Word<'_>, alternatives: &str| {
        let text = word.text.to_lowercase();
        alternatives.split('|').any(|alternative| alternative == text)
    };
    let (good_after, phrase) = match phrase.strip_prefix('-').and_then(|p| p.split_once(' ')) {
        Some((word, phrase)) => (Some(word), phrase),
        None => (None, phrase),
    };
    let wanted: Vec<_> = phrase.split(' ').collect();
    let found = words.get(start..start + wanted.len())?;
    let before = start.checked_sub(1).map(|before| &words[before]);
    let good =
        found[0].joined && good_after.zip(before).is_some_and(|(word, before)| is(before, word));
    (!good
        && found[1..].iter().all(|word| word.joined)
        && found.iter().zip(&wanted).all(|(word, alternatives)| is(word, alternatives)))
    .then_some(wanted.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        check(&Repository::from([("docs/a.md", text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_banned_phrase_is_found_in_any_form_and_over_lines() {
        assert_eq!(
            found("\n// It is handed on."),
            ["docs/a.md:2: \"handed on\": write pass, passed"]
        );
        for text in [
            "/// A page that is none, or another",
            "//! words are made\n    //! ready here",
            "\"No peer is left to ask\"",
            "# His key",
            "space id of 31 bytes it has 32",
        ] {
            assert_eq!(found(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn identifiers_and_other_sentences_pass() {
        for text in [
            "x.is_none()",
            "if it is, none",
            "made. Ready",
            "the op is. None",
            "on hand",
            "this key",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
