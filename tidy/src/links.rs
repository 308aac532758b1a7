//! Links of the documents, with their anchors, and references from code to the documents.

use crate::{markdown, Finding, Repository};

/// Links and references whose file, heading or section does not exist.
#[must_use]
pub fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, text) in repository.ending(".md") {
        for link in markdown::links(text) {
            if let Err(what) = follow(repository, file, link.target) {
                findings.push(Finding { file: file.to_owned(), line: link.line, what });
            }
        }
    }
    for (file, text) in repository.all() {
        // This crate's samples refer to what does not exist.
        let refers = [".rs", ".sh", ".toml"].iter().any(|suffix| file.ends_with(suffix));
        if refers && !file.starts_with("tidy/") {
            findings.extend(references(repository, file, text));
        }
    }
    findings
}

fn follow(repository: &Repository, file: &str, target: &str) -> Result<(), String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return Ok(());
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() { file.to_owned() } else { relative(file, path) };
    if !repository.holds(&path) {
        return Err(format!("broken link: {target} (there is no {path})"));
    }
    match repository.text(&path) {
        Some(text) if !anchor.is_empty() && path.ends_with(".md") => {
            let there = markdown::anchors(text).iter().any(|name| name == anchor);
            there.then_some(()).ok_or(format!("broken link: {target} ({path} has no such heading)"))
        }
        _ => Ok(()),
    }
}

/// `path` as seen from the folder of `file`, from the repository's root.
fn relative(file: &str, path: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// References like `` `docs/design.md`, section 6 ``, `` `docs/design.md`, "A heading" `` and
/// `(design 4)`. They may be broken into lines by comment marks.
fn references(repository: &Repository, file: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut report = |at: usize, what: String| {
        let line = text[..at].matches('\n').count() + 1;
        findings.push(Finding { file: file.to_owned(), line, what });
    };
    for (at, _) in text.match_indices("docs/") {
        let name_end = |c: char| !(c.is_alphanumeric() || "._-/".contains(c));
        let path = text[at..].split(name_end).next().unwrap_or_default().trim_end_matches('.');
        if text[..at].ends_with('/') || !path.ends_with(".md") {
            continue;
        }
        let Some(document) = repository.text(path) else {
            report(at, format!("there is no {path}"));
            continue;
        };
        let rest = text[at + path.len()..].trim_start_matches('`');
        let Some(rest) = rest.strip_prefix(',') else { continue };
        let rest = words_after(rest);
        if let Some(title) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next()) {
            if !markdown::headings(document).any(|heading| heading == title) {
                report(at, format!("{path} has no heading \"{title}\""));
            }
        } else if let Some(numbers) =
            rest.strip_prefix("sections ").or_else(|| rest.strip_prefix("section "))
        {
            for number in first_numbers(numbers) {
                if !has_section(document, number) {
                    report(at, format!("{path} has no section {number}"));
                }
            }
        }
    }
    for (at, _) in text.match_indices("(design ") {
        let number = first_numbers(&text[at + "(design ".len()..]).next();
        let document = repository.text("docs/design.md").unwrap_or_default();
        if let Some(number) = number.filter(|number| !has_section(document, *number)) {
            report(at, format!("docs/design.md has no section {number}"));
        }
    }
    findings
}

/// The next 100 characters without line breaks and comment marks.
fn words_after(text: &str) -> String {
    let near: String = text.chars().take(100).collect();
    let words = near.split_whitespace().filter(|word| !["//", "///", "//!", "#"].contains(word));
    words.collect::<Vec<_>>().join(" ")
}

/// 3 and 5 of "3 to 5, which"; words other than "to" and "and" end the list.
fn first_numbers(text: &str) -> impl Iterator<Item = usize> + '_ {
    text.split([' ', ',', '.', ')', ';', ':'])
        .take_while(|word| {
            word.is_empty() || ["to", "and"].contains(word) || word.parse::<usize>().is_ok()
        })
        .filter_map(|word| word.parse().ok())
}

/// Is there a heading "6. Title" or "6 Title"?
fn has_section(document: &str, number: usize) -> bool {
    markdown::headings(document)
        .any(|heading| heading.split(['.', ' ']).next() == Some(number.to_string().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESIGN: (&str, &str) = ("docs/design.md", "# Design\n## 3. Keys\n## 4. The tree\n");

    fn found(file: &str, text: &str) -> Vec<String> {
        check(&Repository::from([DESIGN, (file, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_link_to_a_missing_file_or_heading_is_found() {
        assert_eq!(
            found("README.md", "\n[a](docs/none.md)"),
            ["README.md:2: broken link: docs/none.md (there is no docs/none.md)"]
        );
        assert_eq!(found("README.md", "[a](docs/design.md#3-values)").len(), 1);
        assert_eq!(found("docs/a.md", "# B\n[a](#c)").len(), 1);
    }

    #[test]
    fn good_links_pass() {
        let text = "# B\n[a](#b) [c](design.md#4-the-tree) [d](../docs) [e](https://example.org/x)";
        assert_eq!(found("docs/a.md", text), [""; 0]);
    }

    #[test]
    fn a_reference_to_a_missing_document_heading_or_section_is_found() {
        for (text, what) in [
            ("//! `docs/none.md`", "there is no docs/none.md"),
            ("//! `docs/design.md`,\n//! section 6.", "docs/design.md has no section 6"),
            ("// `docs/design.md`, sections 3 to 5", "docs/design.md has no section 5"),
            ("// `docs/design.md`, \"Trees\"", "docs/design.md has no heading \"Trees\""),
            ("// H (design 7)", "docs/design.md has no section 7"),
        ] {
            assert_eq!(found("core/src/a.rs", text), [format!("core/src/a.rs:1: {what}")]);
        }
    }

    #[test]
    fn good_references_pass() {
        let text = "//! `docs/design.md`, sections 3\n//! and 4. (design 4) `docs/design.md`, \"4. The tree\"";
        assert_eq!(found("core/src/a.rs", text), [""; 0]);
    }
}
