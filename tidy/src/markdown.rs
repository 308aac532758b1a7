//! Headings, anchors and links of Markdown.

/// A link's target as written, and its line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Link<'a> {
    pub(crate) line: usize,
    pub(crate) target: &'a str,
}

/// The lines outside of code blocks, counted from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fence: Option<&str> = None;
    text.lines().enumerate().filter_map(move |(i, line)| {
        let trimmed = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| trimmed.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => return Some((i + 1, line)),
            _ => {}
        }
        None
    })
}

/// The texts of the headings (`# …`), in order.
pub(crate) fn headings(text: &str) -> impl Iterator<Item = &str> {
    prose(text).filter_map(|(_, line)| {
        let title = line.trim_start_matches('#');
        (line.starts_with('#') && title.starts_with(' ')).then(|| title.trim())
    })
}

/// The anchors that GitHub gives the headings, and those of `<a id="…">` and `<a name="…">`.
pub(crate) fn anchors(text: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    for heading in headings(text) {
        let slug = slug(heading);
        let again = (1..).map(|n| format!("{slug}-{n}"));
        let free = [slug.clone()].into_iter().chain(again).find(|name| !anchors.contains(name));
        anchors.extend(free);
    }
    for (_, line) in prose(text) {
        for attribute in ["<a id=\"", "<a name=\""] {
            let named = line.split(attribute).skip(1).filter_map(|rest| rest.split('"').next());
            anchors.extend(named.map(str::to_owned));
        }
    }
    anchors
}

/// GitHub's rule: lower case; letters, digits, `-` and `_` stay; a space becomes `-`. Of a link the
/// text counts.
fn slug(heading: &str) -> String {
    let mut text = heading.to_owned();
    while let Some((before, after)) = text.split_once("](") {
        let rest = after.split_once(')').map_or("", |(_, rest)| rest);
        text = format!("{before}{rest}");
    }
    text.chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            '-' | '_' => Some(c),
            _ if c.is_alphanumeric() => Some(c),
            _ => None,
        })
        .flat_map(char::to_lowercase)
        .collect()
}

/// Targets of `[text](target)`, `[text]: target`, `src="target"` and `href="target"`. Code is left
/// out.
pub(crate) fn links(text: &str) -> Vec<Link<'_>> {
    let mut links = Vec::new();
    for (line, content) in prose(text) {
        // Every second piece between backquotes is code.
        for piece in content.split('`').step_by(2) {
            for rest in piece.split("](").skip(1) {
                links.extend(target(rest, ')').map(|target| Link { line, target }));
            }
            for attribute in ["src=\"", "href=\""] {
                for rest in piece.split(attribute).skip(1) {
                    links.extend(target(rest, '"').map(|target| Link { line, target }));
                }
            }
        }
        // `](` ends a piece where the text of a link is code: [`name`](target).
        for rest in content.split("`](").skip(1) {
            links.extend(target(rest, ')').map(|target| Link { line, target }));
        }
        if let Some((name, rest)) = content.split_once("]: ") {
            if name.starts_with('[') {
                links.extend(target(rest, ' ').map(|target| Link { line, target }));
            }
        }
    }
    links.sort_by_key(|link| (link.line, link.target));
    links.dedup();
    links
}

/// The first word of what stands before `end`; a title may follow it.
fn target(rest: &str, end: char) -> Option<&str> {
    rest.split(end).next()?.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_githubs() {
        let text =
            "# A `b_c`, d: 2^k\n## A b\n```\n# not one\n```\n## A b\n### [X](y.md) & z\n#!no\n\
                    <a id=\"own\"></a>";
        assert_eq!(anchors(text), ["a-b_c-d-2k", "a-b", "a-b-1", "x--z", "own"]);
    }

    #[test]
    fn links_of_all_forms_are_found_and_code_is_not() {
        let text = "[a](b.md#c) and [`d`](e.md \"title\")\n[f]: g.md\n<img src=\"h.svg\">\n\
                    `[i](j.md)`\n```\n[k](l.md)\n```";
        let targets: Vec<_> =
            links(text).into_iter().map(|link| (link.line, link.target)).collect();
        assert_eq!(targets, [(1, "b.md#c"), (1, "e.md"), (2, "g.md"), (3, "h.svg")]);
    }
}
