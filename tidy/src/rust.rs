//! Just enough of Rust's syntax to see what a file imports: tokens, items and paths.

/// What a file says about modules and names, apart from its unit tests.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Source {
    /// Child modules in files of their own (`mod x;`).
    pub(crate) modules: Vec<String>,
    /// `use` declarations, one for each name.
    pub(crate) uses: Vec<Use>,
    /// Paths of two segments or more in the code.
    pub(crate) paths: Vec<Path>,
}

/// One name that a `use` declaration brings in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    /// The whole path; the last segment is `*` for a glob.
    pub(crate) path: Path,
    /// The name in this file.
    pub(crate) name: String,
    /// Is it exported, with `pub`, `pub(crate)` or the like?
    pub(crate) exported: bool,
}

/// A path, and the line that it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
}

/// Reads a file. Modules under `#[cfg(test)]` are left out.
pub(crate) fn read(text: &str) -> Source {
    let tokens = tokens(text);
    let mut source = Source::default();
    let mut at = 0;
    while at < tokens.len() {
        at = if let Some(after) = test_only(&tokens, at) {
            after
        } else if tokens[at].text == "use" {
            let exported = at > 0 && matches!(tokens[at - 1].text.as_str(), "pub" | ")");
            use_tree(&tokens, at + 1, &mut Vec::new(), exported, &mut source.uses)
        } else if tokens[at].text == "mod" && is(&tokens, at + 2, ";") {
            source.modules.push(tokens[at + 1].text.clone());
            at + 3
        } else if tokens[at].is_name() && is(&tokens, at + 1, "::") {
            let (path, after) = path(&tokens, at);
            source.paths.push(path);
            after
        } else {
            at + 1
        };
    }
    source
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    text: String,
    line: usize,
}

impl Token {
    fn is_name(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

fn is(tokens: &[Token], at: usize, text: &str) -> bool {
    tokens.get(at).is_some_and(|token| token.text == text)
}

/// The position after the item that `#[cfg(test)]` at `at` switches off.
fn test_only(tokens: &[Token], at: usize) -> Option<usize> {
    let attribute = ["#", "[", "cfg", "(", "test", ")", "]"];
    let there = attribute.iter().enumerate().all(|(i, text)| is(tokens, at + i, text));
    there.then(|| {
        let mut depth = 0;
        for (i, token) in tokens.iter().enumerate().skip(at + attribute.len()) {
            match token.text.as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 && matches!(token.text.as_str(), "}" | ";") {
                return i + 1;
            }
        }
        tokens.len()
    })
}

/// A path without a leading `::`, from its first name on; also the position after it.
fn path(tokens: &[Token], mut at: usize) -> (Path, usize) {
    let mut path = Path { segments: vec![tokens[at].text.clone()], line: tokens[at].line };
    while is(tokens, at + 1, "::") && tokens.get(at + 2).is_some_and(Token::is_name) {
        path.segments.push(tokens[at + 2].text.clone());
        at += 2;
    }
    (path, at + 1)
}

/// Adds the names of the tree at `at` under `prefix`; returns the position after the tree.
fn use_tree(
    tokens: &[Token],
    mut at: usize,
    prefix: &mut Vec<String>,
    exported: bool,
    uses: &mut Vec<Use>,
) -> usize {
    let depth = prefix.len();
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            "{" => {
                at += 1;
                while at < tokens.len() && !is(tokens, at, "}") {
                    at = use_tree(tokens, at, prefix, exported, uses);
                    if is(tokens, at, ",") {
                        at += 1;
                    }
                }
                at += 1;
                break;
            }
            "," | "}" | ";" => break,
            "::" => at += 1,
            segment => {
                prefix.push(segment.to_owned());
                let line = tokens[at].line;
                at += 1;
                if is(tokens, at, "::") {
                    continue;
                }
                let mut segments = prefix.clone();
                if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
                    segments.pop();
                }
                let mut name = segments.last().cloned().unwrap_or_default();
                if is(tokens, at, "as") {
                    name.clone_from(&tokens[at + 1].text);
                    at += 2;
                }
                uses.push(Use { path: Path { segments, line }, name, exported });
                break;
            }
        }
    }
    prefix.truncate(depth);
    at
}

/// Names, `::` and single characters, without comments and without the contents of literals.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let next = chars.get(at + 1).copied().unwrap_or(' ');
        let end = match chars[at] {
            '/' if next == '/' => at + chars[at..].iter().take_while(|c| **c != '\n').count(),
            '/' if next == '*' => block_comment(&chars, at),
            '"' => string(&chars, at),
            'r' if matches!(next, '"' | '#') && raw_string(&chars, at).is_some() => {
                raw_string(&chars, at).unwrap_or(at + 1)
            }
            'b' if next == '"' => string(&chars, at + 1),
            '\'' => character(&chars, at),
            ':' if next == ':' => {
                tokens.push(Token { text: "::".to_owned(), line });
                at + 2
            }
            c if c.is_whitespace() => at + 1,
            c if c.is_alphanumeric() || c == '_' => {
                let name: String =
                    chars[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').collect();
                let end = at + name.chars().count();
                tokens.push(Token { text: name, line });
                end
            }
            c => {
                tokens.push(Token { text: c.to_string(), line });
                at + 1
            }
        };
        line += chars[at..end.min(chars.len())].iter().filter(|c| **c == '\n').count();
        at = end;
    }
    tokens
}

fn block_comment(chars: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (at, depth) = (at + 2, depth + 1),
            ('*', Some('/')) if depth == 1 => return at + 2,
            ('*', Some('/')) => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
    }
    at
}

fn string(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn raw_string(chars: &[char], start: usize) -> Option<usize> {
    let hashes = chars[start + 1..].iter().take_while(|c| **c == '#').count();
    let open = start + 1 + hashes;
    (chars.get(open) == Some(&'"')).then(|| {
        let closes = |at: usize| {
            chars[at] == '"'
                && chars[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes
        };
        (open + 1..chars.len()).find(|at| closes(*at)).map_or(chars.len(), |at| at + 1 + hashes)
    })
}

/// A character literal, or only the quote of a lifetime.
fn character(chars: &[char], start: usize) -> usize {
    match (chars.get(start + 1), chars.get(start + 2)) {
        (Some('\\'), _) => {
            let close = chars[start + 3..].iter().take_while(|c| **c != '\'').count();
            start + 3 + close + 1
        }
        (Some(_), Some('\'')) => start + 3,
        _ => start + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(source: &Source) -> Vec<String> {
        source.paths.iter().map(|path| path.segments.join("::")).collect()
    }

    fn names(source: &Source) -> Vec<String> {
        source.uses.iter().map(|u| format!("{}={}", u.name, u.path.segments.join("::"))).collect()
    }

    #[test]
    fn use_trees_are_flattened() {
        let source = read("use a::{b::{self, c as d}, e::*};\npub(crate) use super::f;");
        assert_eq!(names(&source), ["b=a::b", "d=a::b::c", "*=a::e::*", "f=super::f"]);
        assert_eq!(
            source.uses.iter().map(|u| u.exported).collect::<Vec<_>>(),
            [false, false, false, true]
        );
        assert_eq!(source.uses[3].path.line, 2);
    }

    #[test]
    fn comments_literals_and_lifetimes_are_no_paths() {
        let source = read(
            "// a::b\n/* a::b /* c::d */ e::f */ \"a::b \\\" c::d\" r#\"a::\"b\"# b\"a::b\" \
             'a' '\\'' '\\u{1}' fn f<'a>(x: &'a g::h) {}",
        );
        assert_eq!(paths(&source), ["g::h"]);
    }

    #[test]
    fn unit_tests_are_left_out() {
        let source =
            read("#[cfg(test)]\nmod tests { fn f() { a::b() } }\n#[cfg(test)]\nuse c::d;\nmod e;");
        assert_eq!(source, Source { modules: vec!["e".to_owned()], ..Source::default() });
    }
}
