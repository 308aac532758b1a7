//! No circles of imports: in every crate, the modules of a folder can be put into an order in
//! which each imports from earlier ones only.
//!
//! A module stands here with everything below it, so `a/x` and `b/y` make a circle of `a` and `b`
//! if one imports the other and `b/z` imports `a/w`. Between a module and its own children there
//! is no order: children implement what the parent declares. An import counts for the file that
//! defines the name: a name that is only exported again (`pub use`) is followed to its origin.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    rust::{self, Path, Source},
    Finding, Repository,
};

/// A module's path from its crate's root; the root is empty.
type Module = Vec<String>;

/// One set of sibling modules that import each other.
struct Circle {
    /// The file of their parent.
    parent: String,
    /// Their paths from the crate's root, with `, ` between them.
    modules: String,
    /// Where one imports another.
    places: Vec<String>,
}

/// The circles of all crates.
#[must_use]
pub fn check(repository: &Repository) -> Vec<Finding> {
    let circles =
        roots(repository).into_iter().flat_map(|root| Crate::read(repository, &root).circles());
    circles
        .map(|circle| Finding {
            file: circle.parent,
            line: 0,
            what: format!("circle of imports: {} ({})", circle.modules, circle.places.join("; ")),
        })
        .collect()
}

/// The folders that hold a `lib.rs` or `main.rs`, each with a `/` at its end.
fn roots(repository: &Repository) -> BTreeSet<String> {
    let of = |name| repository.ending(name).filter_map(move |(path, _)| path.strip_suffix(name));
    of("src/lib.rs")
        .map(|folder| format!("{folder}src/"))
        .chain(of("/main.rs").map(|folder| format!("{folder}/")))
        .collect()
}

/// The modules of one crate.
struct Crate {
    modules: BTreeMap<Module, File>,
}

struct File {
    path: String,
    source: Source,
}

/// A name at its origin: the module that defines it, or a whole module.
#[derive(Debug, PartialEq, Eq)]
enum Origin {
    Module(Module),
    Item(Module),
}

impl Crate {
    fn read(repository: &Repository, root: &str) -> Self {
        let text = |path: &str| repository.text(path).map(|text| (path.to_owned(), text));
        let mut modules = BTreeMap::new();
        let mut open = vec![Module::new()];
        while let Some(module) = open.pop() {
            let at = format!("{root}{}", module.join("/"));
            let found = if module.is_empty() {
                text(&format!("{root}lib.rs")).or_else(|| text(&format!("{root}main.rs")))
            } else {
                text(&format!("{at}.rs")).or_else(|| text(&format!("{at}/mod.rs")))
            };
            let Some((path, text)) = found else { continue };
            let source = rust::read(text);
            open.extend(source.modules.iter().map(|name| child(&module, name)));
            modules.insert(module, File { path, source });
        }
        Self { modules }
    }

    fn circles(&self) -> Vec<Circle> {
        let imports = self.imports();
        let mut found = Vec::new();
        for parent in self.modules.keys() {
            let mut edges: BTreeMap<Module, BTreeMap<Module, (&Module, usize)>> = BTreeMap::new();
            for (from, to, line) in &imports {
                let (Some(a), Some(b)) = (below(parent, from), below(parent, to)) else { continue };
                if a != b {
                    edges.entry(a).or_default().entry(b).or_insert((from, *line));
                }
            }
            for circle in circles(&edges) {
                let names: Vec<_> = circle.iter().map(|module| module.join("::")).collect();
                let places = circle.iter().flat_map(|from| {
                    edges[from].iter().filter(|(to, _)| circle.contains(*to)).map(
                        |(to, (at, line))| {
                            format!("{}:{line} imports {}", self.modules[*at].path, to.join("::"))
                        },
                    )
                });
                found.push(Circle {
                    parent: self.modules[parent].path.clone(),
                    modules: names.join(", "),
                    places: places.collect(),
                });
            }
        }
        found
    }

    /// Importing module, module that defines what is imported, and line.
    fn imports(&self) -> Vec<(Module, Module, usize)> {
        let mut imports = Vec::new();
        for (module, file) in &self.modules {
            let uses = file.source.uses.iter().filter(|u| !u.exported).map(|u| &u.path);
            for path in uses.chain(&file.source.paths) {
                match self.origin(module, path) {
                    Some(Origin::Item(to)) => imports.push((module.clone(), to, path.line)),
                    Some(Origin::Module(to)) if path.segments.last().is_some_and(|s| s == "*") => {
                        imports.push((module.clone(), to, path.line));
                    }
                    // Bringing a module's name into scope imports nothing; the paths that start
                    // with it do.
                    _ => {}
                }
            }
        }
        imports
    }

    /// Where the name of `path`, written in `module`, is defined. `None` outside the crate.
    fn origin(&self, module: &Module, path: &Path) -> Option<Origin> {
        let mut segments = path.segments.iter().map(String::as_str).peekable();
        let mut at = match segments.peek()? {
            &"crate" => {
                segments.next();
                Module::new()
            }
            &"self" => {
                segments.next();
                module.clone()
            }
            &"super" => module.clone(),
            first => {
                let start = self.in_scope(module, first)?;
                segments.next();
                start
            }
        };
        while segments.next_if(|segment| *segment == "super").is_some() {
            at.pop()?;
        }
        self.walk(at, &segments.collect::<Vec<_>>(), 0)
    }

    /// The module that `name`, the first segment of a path in `module`, stands for.
    fn in_scope(&self, module: &Module, name: &str) -> Option<Module> {
        let below = child(module, name);
        if self.modules.contains_key(&below) {
            return Some(below);
        }
        let declared = self.modules[module].source.uses.iter().find(|u| u.name == name)?;
        // `use a::b as b` where the path starts with its own name would not end.
        if declared.path.segments.first().is_some_and(|first| first == name) {
            return None;
        }
        match self.origin(module, &declared.path)? {
            Origin::Module(to) => Some(to),
            Origin::Item(_) => None,
        }
    }

    /// Follows `segments` from the module `at`, through names that are exported again.
    fn walk(&self, mut at: Module, segments: &[&str], depth: usize) -> Option<Origin> {
        for (i, segment) in segments.iter().enumerate() {
            let below = child(&at, segment);
            if self.modules.contains_key(&below) {
                at = below;
                continue;
            }
            if *segment == "*" {
                break;
            }
            let file = self.modules.get(&at)?;
            let again = file.source.uses.iter().find(|u| u.exported && u.name == **segment);
            return match again {
                // Deeper than any chain of exports: a name that exports itself.
                Some(_) if depth > 8 => None,
                Some(again) => match self.origin(&at, &again.path) {
                    Some(Origin::Module(to)) => self.walk(to, &segments[i + 1..], depth + 1),
                    found => found,
                },
                None => Some(Origin::Item(at)),
            };
        }
        self.modules.contains_key(&at).then_some(Origin::Module(at))
    }
}

fn child(module: &Module, name: &str) -> Module {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

/// The child of `parent` that `module` is, or is below.
fn below(parent: &Module, module: &Module) -> Option<Module> {
    (module.len() > parent.len() && module.starts_with(parent))
        .then(|| module[..=parent.len()].to_vec())
}

/// The strongly connected sets of two modules or more.
fn circles<T>(edges: &BTreeMap<Module, BTreeMap<Module, T>>) -> BTreeSet<BTreeSet<Module>> {
    let reach = |from: &Module| {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(next) = open.pop() {
            for to in edges.get(next).into_iter().flat_map(BTreeMap::keys) {
                if seen.insert(to.clone()) {
                    open.push(to);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<_, _> = edges.keys().map(|from| (from, reach(from))).collect();
    reached
        .iter()
        .filter(|(from, to)| to.contains(**from))
        .map(|(from, to)| {
            to.iter()
                .filter(|m| reached.get(m).is_some_and(|r| r.contains(*from)))
                .cloned()
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<const N: usize>(files: [(&str, &str); N]) -> Vec<String> {
        check(&Repository::from(files)).into_iter().map(|f| f.what).collect()
    }

    #[test]
    fn two_modules_that_import_each_other_are_a_circle() {
        let circle = found([
            ("core/src/lib.rs", "mod a;\nmod b;"),
            ("core/src/a.rs", "use crate::b::B;\npub struct A;"),
            ("core/src/b.rs", "pub struct B;\nfn f() { super::a::A; }"),
        ]);
        assert_eq!(
            circle,
            ["circle of imports: a, b (core/src/a.rs:1 imports b; core/src/b.rs:2 imports a)"]
        );
    }

    #[test]
    fn a_name_is_followed_to_the_module_that_defines_it() {
        let circle = found([
            ("core/src/lib.rs", "mod tree;"),
            ("core/src/tree/mod.rs", "mod page;\nmod read;\npub use page::Page;\npub use read::*;"),
            ("core/src/tree/page.rs", "use super::read;\nfn f() { read::read() }"),
            ("core/src/tree/read.rs", "use crate::tree::Page;"),
        ]);
        assert_eq!(circle.len(), 1, "{circle:?}");
        assert!(circle[0].contains("tree::page, tree::read"), "{circle:?}");
    }

    #[test]
    fn folders_make_a_circle_where_their_files_do_not() {
        let circle = found([
            ("node/src/lib.rs", "mod a;\nmod b;"),
            ("node/src/a/mod.rs", "mod x;\nmod w;"),
            ("node/src/b/mod.rs", "mod y;\nmod z;"),
            ("node/src/a/x.rs", "use crate::b::y::Y;"),
            ("node/src/a/w.rs", "pub struct W;"),
            ("node/src/b/y.rs", "pub struct Y;"),
            ("node/src/b/z.rs", "use crate::a::w::W;"),
        ]);
        assert_eq!(circle.len(), 1, "{circle:?}");
    }

    #[test]
    fn three_modules_in_a_ring_are_a_circle() {
        let circle = found([
            ("node/src/bin/tool/main.rs", "mod a;\nmod b;\nmod c;"),
            ("node/src/bin/tool/a.rs", "use crate::b::B;"),
            ("node/src/bin/tool/b.rs", "use crate::c::C;"),
            ("node/src/bin/tool/c.rs", "use crate::a::A;"),
        ]);
        assert_eq!(circle.len(), 1, "{circle:?}");
    }

    #[test]
    fn one_way_imports_children_and_unit_tests_are_no_circle() {
        let circle = found([
            ("core/src/lib.rs", "mod a;\nmod b;\npub use a::A;"),
            ("core/src/a.rs", "pub struct A;\n#[cfg(test)]\nmod tests { use crate::b::B; }"),
            ("core/src/b.rs", "mod c;\nuse crate::A;\nuse c::C;\npub struct B;"),
            ("core/src/b/c.rs", "use super::B;\npub struct C;"),
        ]);
        assert_eq!(circle, [""; 0]);
    }
}
