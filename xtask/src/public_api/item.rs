//! The public items of a library, as rustdoc's JSON describes them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::render::{path_name, signature};

pub(super) struct Api(Value);

impl Api {
    pub(super) fn new(document: Value) -> Self {
        Self(document)
    }

    /// Lists the items, sorted, one a line.
    pub(super) fn list(&self) -> String {
        let mut lines = BTreeSet::new();
        if let Some(root) = self.item(&self.0["root"]) {
            let name = root["name"].as_str().unwrap_or_default().to_owned();
            self.walk(root, &name, &mut |line, _| {
                lines.insert(line);
            });
        }
        lines.into_iter().fold(String::new(), |list, line| list + &line + "\n")
    }

    /// Returns the names under which the library re-exports items, without their modules.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let items = self.0["index"].as_object().into_iter().flatten();
        let source = |(_, item): (&String, &Value)| {
            item["inner"]["use"]["source"].as_str().map(|path| path_name(path).to_owned())
        };
        items.filter_map(source).collect()
    }

    /// Returns the types of this project that public functions, fields and variants mention: each
    /// with the outermost module in which it is defined, and its name.
    pub(super) fn mentioned(&self) -> BTreeSet<(String, String)> {
        let mut mentioned = BTreeSet::new();
        if let Some(root) = self.item(&self.0["root"]) {
            self.walk(root, "", &mut |_, item| self.collect(&item["inner"], &mut mentioned));
        }
        mentioned
    }

    /// Collects the types that a function, a field or a variant mentions.
    fn collect(&self, inner: &Value, mentioned: &mut BTreeSet<(String, String)>) {
        for kind in ["function", "struct_field", "assoc_const", "constant"] {
            self.collect_types(&inner[kind], mentioned);
        }
    }

    fn collect_types(&self, value: &Value, mentioned: &mut BTreeSet<(String, String)>) {
        match value {
            Value::Object(members) => {
                // rustdoc writes no path for the trait of `Self::Output` inside of that trait.
                if let (Some(Value::String(path)), Some(id)) =
                    (members.get("path"), members.get("id"))
                    && !path.is_empty()
                    && let Some(module) = self.our_module(id)
                {
                    mentioned.insert((module, path_name(path).to_owned()));
                }
                members.values().for_each(|member| self.collect_types(member, mentioned));
            }
            Value::Array(list) => {
                list.iter().for_each(|value| self.collect_types(value, mentioned));
            }
            _ => {}
        }
    }

    /// Returns the outermost module in which a type of this project is defined.
    fn our_module(&self, id: &Value) -> Option<String> {
        let path = self.0["paths"][id.to_string()]["path"].as_array()?;
        path.first()?.as_str().filter(|name| name.starts_with("hallpass"))?;
        Some(path.get(1)?.as_str()?.to_owned())
    }

    fn item(&self, id: &Value) -> Option<&Value> {
        self.0["index"].get(id.to_string())
    }

    /// Visits an item and those inside of it: with its line of the list, and its data from rustdoc.
    fn walk<'a>(&'a self, item: &'a Value, path: &str, visit: &mut dyn FnMut(String, &'a Value)) {
        let Some((kind, inner)) = item["inner"].as_object().and_then(|inner| inner.iter().next())
        else {
            return;
        };
        visit(format!("{kind} {path}{}", signature(kind, inner)), item);
        let mut children = Vec::new();
        for list in ["items", "variants"] {
            children.extend(inner[list].as_array().into_iter().flatten());
        }
        let shape = &inner["kind"];
        for list in [&shape["plain"]["fields"], &shape["struct"]["fields"], &shape["tuple"]] {
            children.extend(list.as_array().into_iter().flatten());
        }
        for child in children.into_iter().filter_map(|id| self.item(id)) {
            self.walk_child(child, path, visit);
        }
        for block in inner["impls"].as_array().into_iter().flatten().filter_map(|id| self.item(id))
        {
            let block = &block["inner"]["impl"];
            match block["trait"]["path"].as_str() {
                Some(_) if block["is_synthetic"] == true || !block["blanket_impl"].is_null() => {}
                Some(of) => visit(format!("impl {} for {path}", path_name(of)), &Value::Null),
                None => {
                    let items = block["items"].as_array().into_iter().flatten();
                    for child in items.filter_map(|id| self.item(id)) {
                        self.walk_child(child, path, visit);
                    }
                }
            }
        }
    }

    fn walk_child<'a>(
        &'a self,
        child: &'a Value,
        path: &str,
        visit: &mut dyn FnMut(String, &'a Value),
    ) {
        // The items of a trait or an enum are as public as the trait or enum.
        if !matches!(child["visibility"].as_str(), Some("public" | "default")) {
            return;
        }
        let used = &child["inner"]["use"];
        let Some(name) = used["name"].as_str().or(child["name"].as_str()) else { return };
        let below = format!("{path}::{name}");
        match self.item(&used["id"]) {
            // An item of a private module that is re-exported here.
            Some(local) if used.is_object() => self.walk(local, &below, visit),
            _ if used.is_object() => {
                let source = used["source"].as_str().unwrap_or_default();
                visit(format!("use {below} = {source}"), child);
            }
            _ => self.walk(child, &below, visit),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::render::type_name;
    use super::*;

    #[test]
    fn items_are_listed_where_they_are_public() {
        let function = |name: &str, takes: Value| {
            json!({ "name": name, "visibility": "public", "inner": { "function": { "sig": {
                "inputs": [["value", takes]], "output": { "primitive": "bool" },
            }, "header": { "is_async": false } } } })
        };
        let api = Api::new(json!({
            "root": 0,
            "paths": { "7": { "path": ["hallpass_core", "scope", "Scope"] }, "8": { "path": ["std", "String"] } },
            "index": {
                "0": { "name": "root", "visibility": "public", "inner": { "module": { "items": [1, 2, 5, 6] } } },
                "1": { "name": null, "visibility": "public",
                       "inner": { "use": { "source": "self::hidden::Thing", "name": "Thing", "id": 3 } } },
                "2": { "name": "hidden", "visibility": { "restricted": {} }, "inner": { "module": { "items": [3] } } },
                "3": { "name": "Thing", "visibility": "public",
                       "inner": { "struct": { "kind": "unit", "impls": [4] } } },
                "4": { "name": null, "visibility": "default",
                       "inner": { "impl": { "trait": null, "items": [9], "blanket_impl": null } } },
                "5": { "name": null, "visibility": "public",
                       "inner": { "use": { "source": "other::Word", "name": "Word", "id": 99 } } },
                "6": function("has", json!({ "resolved_path": { "path": "crate::Scope", "id": 7, "args": null } })),
                "9": function("is", json!({ "resolved_path": { "path": "String", "id": 8, "args": null } })),
            },
        }));
        assert_eq!(
            api.list(),
            "function root::Thing::is(String) -> bool\nfunction root::has(Scope) -> bool\nmodule root\n\
             struct root::Thing\nuse root::Word = other::Word\n"
        );
        assert_eq!(api.mentioned(), BTreeSet::from([("scope".to_owned(), "Scope".to_owned())]));
        assert_eq!(api.names(), BTreeSet::from(["Thing".to_owned(), "Word".to_owned()]));
        assert_eq!(type_name(&json!({ "primitive": "u8" })), "u8");
    }
}
