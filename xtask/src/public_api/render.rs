//! Renders signatures briefly, but keeps every change of them visible.

use serde_json::Value;

/// Returns the last segment of a path.
pub(super) fn path_name(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// Writes the text after the name of an item.
pub(super) fn signature(kind: &str, inner: &Value) -> String {
    match kind {
        "function" => {
            let inputs = inner["sig"]["inputs"].as_array().into_iter().flatten();
            let inputs = join(inputs.map(|input| type_name(&input[1])));
            let output = match &inner["sig"]["output"] {
                Value::Null => String::new(),
                output => format!(" -> {}", type_name(output)),
            };
            let is_async = if inner["header"]["is_async"] == true { " async" } else { "" };
            format!("({inputs}){output}{is_async}")
        }
        "struct_field" => format!(": {}", type_name(inner)),
        "assoc_const" | "constant" => format!(": {}", type_name(&inner["type"])),
        "type_alias" => format!(" = {}", type_name(&inner["type"])),
        _ => String::new(),
    }
}

/// Writes a type without the modules of its parts.
pub(super) fn type_name(value: &Value) -> String {
    let Some((kind, inner)) = value.as_object().and_then(|members| members.iter().next()) else {
        return value.as_str().unwrap_or("_").to_owned();
    };
    match kind.as_str() {
        "primitive" | "generic" => inner.as_str().unwrap_or_default().to_owned(),
        "resolved_path" => path(inner),
        "borrowed_ref" => {
            let change = if inner["is_mutable"] == true { "mut " } else { "" };
            format!("&{change}{}", type_name(&inner["type"]))
        }
        "tuple" => format!("({})", types(inner)),
        "slice" => format!("[{}]", type_name(inner)),
        "array" => {
            format!("[{}; {}]", type_name(&inner["type"]), inner["len"].as_str().unwrap_or("_"))
        }
        "impl_trait" => format!("impl {}", bounds(inner)),
        "dyn_trait" => {
            let traits = inner["traits"].as_array().into_iter().flatten();
            let traits: Vec<_> = traits.map(|bound| path(&bound["trait"])).collect();
            format!("dyn {}", traits.join(" + "))
        }
        "qualified_path" => {
            let of = inner["trait"]["path"].as_str().map(path_name).unwrap_or_default();
            let name = inner["name"].as_str().unwrap_or_default();
            let whose = type_name(&inner["self_type"]);
            // rustdoc does not name the trait inside of that trait.
            if of.is_empty() {
                format!("{whose}::{name}")
            } else {
                format!("<{whose} as {of}>::{name}")
            }
        }
        "function_pointer" => format!("fn{}", signature("function", inner)),
        other => other.to_owned(),
    }
}

fn path(value: &Value) -> String {
    let name = value["path"].as_str().map(path_name).unwrap_or_default();
    let args = &value["args"];
    if let Some(inputs) = args.get("parenthesized") {
        return format!("{name}({}) -> {}", types(&inputs["inputs"]), type_name(&inputs["output"]));
    }
    let args = &args["angle_bracketed"];
    let types = args["args"].as_array().into_iter().flatten();
    let types = types.filter_map(|argument| argument.get("type").map(type_name));
    let bound = args["constraints"].as_array().into_iter().flatten().map(|constraint| {
        let name = constraint["name"].as_str().unwrap_or_default();
        match constraint["binding"]["equality"].get("type") {
            Some(equal) => format!("{name} = {}", type_name(equal)),
            None => format!("{name}: {}", bounds(&constraint["binding"]["constraint"])),
        }
    });
    match join(types.chain(bound)) {
        list if list.is_empty() => name.to_owned(),
        list => format!("{name}<{list}>"),
    }
}

fn bounds(list: &Value) -> String {
    let bounds = list.as_array().into_iter().flatten();
    let bounds: Vec<_> = bounds
        .filter_map(|bound| bound.get("trait_bound").map(|bound| path(&bound["trait"])))
        .collect();
    bounds.join(" + ")
}

fn types(list: &Value) -> String {
    join(list.as_array().into_iter().flatten().map(type_name))
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
