//! The types that a run is written from, as their source declares them, as JSON Schema.
//!
//! Only what our types use of Rust and serde is understood; anything else fails by name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Expr, Field, Fields, GenericArgument, Item, ItemEnum, ItemStruct, Lit, Meta,
    PathArguments, Token, Type, Visibility,
};

use crate::support::shell::files_below;

/// The crates that have them.
const CRATES: [&str; 4] = ["analysis", "record", "rules", "workload"];

/// The types that can be written, with the file of each, from the root of the workspace.
pub(crate) struct Types {
    all: Vec<(PathBuf, Item)>,
}

/// What serde is told of a type or a field: each word with its value, if it has one.
type Told = BTreeMap<String, String>;

impl Types {
    /// Reads the source.
    pub(crate) fn read(root: &Path) -> Self {
        let mut all = Vec::new();
        for name in CRATES {
            for path in files_below(&root.join("crates").join(name).join("src")) {
                if path.extension().is_none_or(|end| end != "rs") {
                    continue;
                }
                let text = fs::read_to_string(&path).expect("sources are UTF-8");
                let file = syn::parse_file(&text).expect("it is Rust");
                let path = path.strip_prefix(root).expect("it lies below").to_owned();
                let items = file.items.into_iter().filter(is_written);
                all.extend(items.map(|item| (path.clone(), item)));
            }
        }
        Self { all }
    }

    /// Returns the schema of a type that a file uses, and the definitions that it needs.
    pub(crate) fn schema(
        &self,
        name: &str,
        user: &Path,
    ) -> (Map<String, Value>, Map<String, Value>) {
        let mut definitions = Map::new();
        let root = self.of(self.find(name, user), &mut definitions);
        (root, definitions)
    }

    /// Finds the type that a file means by a name: its own, one of its folder, or the only one that
    /// others can use.
    fn find(&self, name: &str, user: &Path) -> &(PathBuf, Item) {
        let named: Vec<_> = self.all.iter().filter(|(_, item)| named(item) == name).collect();
        let own = named.iter().find(|(path, _)| path == user);
        let near =
            |(path, item): &&&(PathBuf, Item)| path.parent() == user.parent() && is_public(item);
        let near = named.iter().find(near);
        let mut public = named.iter().filter(|(_, item)| is_public(item));
        let only = public.next().filter(|_| public.next().is_none());
        own.or(near).or(only).unwrap_or_else(|| panic!("no type {name} of {}", user.display()))
    }

    /// Returns the schema of a type.
    fn of(
        &self,
        (path, item): &(PathBuf, Item),
        defs: &mut Map<String, Value>,
    ) -> Map<String, Value> {
        let (attributes, mut schema) = match item {
            Item::Struct(item) => (&item.attrs, self.of_struct(item, path, defs)),
            Item::Enum(item) => (&item.attrs, self.of_enum(item, path, defs)),
            _ => unreachable!("only structs and enums are read"),
        };
        describe(&mut schema, attributes);
        schema
    }

    /// Returns the schema of a struct.
    fn of_struct(
        &self,
        item: &ItemStruct,
        user: &Path,
        defs: &mut Map<String, Value>,
    ) -> Map<String, Value> {
        if let Some(other) = serde(&item.attrs).get("into") {
            let other: Type = syn::parse_str(other).expect("it is a type");
            return self.of_type(&other, user, defs);
        }
        match &item.fields {
            Fields::Named(fields) => {
                let mut schema = self.of_fields(fields.named.iter(), user, defs);
                if serde(&item.attrs).contains_key("default") {
                    schema.insert("required".to_owned(), json!([]));
                }
                schema
            }
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                self.of_type(&fields.unnamed[0].ty, user, defs)
            }
            _ => panic!("{} has fields that are not understood", item.ident),
        }
    }

    /// Returns the schema of an object with these fields.
    fn of_fields<'a>(
        &self,
        fields: impl Iterator<Item = &'a Field>,
        user: &Path,
        defs: &mut Map<String, Value>,
    ) -> Map<String, Value> {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for field in fields {
            let told = serde(&field.attrs);
            let mut schema = self.of_type(&field.ty, user, defs);
            if told.contains_key("flatten") {
                let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
                let inner = defs[name.expect("a struct is flattened")].clone();
                properties.extend(inner["properties"].as_object().cloned().unwrap_or_default());
                required.extend(inner["required"].as_array().cloned().unwrap_or_default());
                continue;
            }
            describe(&mut schema, &field.attrs);
            let usual = || field.ident.as_ref().expect("it has a name").to_string();
            let name = told.get("rename").cloned().unwrap_or_else(usual);
            if !told.contains_key("default") && !told.contains_key("skip_serializing_if") {
                required.push(name.as_str().into());
            }
            properties.insert(name, schema.into());
        }
        object(json!({ "type": "object", "properties": properties, "required": required }))
    }

    /// Returns the schema of an enum: a word, or an object with one word as its key.
    fn of_enum(
        &self,
        item: &ItemEnum,
        user: &Path,
        defs: &mut Map<String, Value>,
    ) -> Map<String, Value> {
        let rule = serde(&item.attrs).remove("rename_all").expect("enums are renamed");
        let mut kinds = Vec::new();
        for variant in &item.variants {
            let usual = || cased(&variant.ident.to_string(), &rule);
            let name = serde(&variant.attrs).remove("rename").unwrap_or_else(usual);
            let mut kind = match &variant.fields {
                Fields::Unit => object(json!({ "const": name })),
                fields => {
                    let inner = self.of_variant(fields, user, defs);
                    let properties = Map::from_iter([(name.clone(), inner.into())]);
                    object(
                        json!({ "type": "object", "properties": properties, "required": [name] }),
                    )
                }
            };
            describe(&mut kind, &variant.attrs);
            kinds.push(Value::from(kind));
        }
        object(json!({ "oneOf": kinds }))
    }

    /// Returns the schema of what a variant holds: one value, or fields with names.
    fn of_variant(
        &self,
        fields: &Fields,
        user: &Path,
        defs: &mut Map<String, Value>,
    ) -> Map<String, Value> {
        match fields {
            Fields::Named(fields) => self.of_fields(fields.named.iter(), user, defs),
            fields => {
                let only = fields.iter().next().expect("it has one");
                self.of_type(&only.ty, user, defs)
            }
        }
    }

    /// Returns the schema of a type as a field has it.
    fn of_type(&self, of: &Type, user: &Path, defs: &mut Map<String, Value>) -> Map<String, Value> {
        let path = match of {
            Type::Reference(reference) => return self.of_type(&reference.elem, user, defs),
            Type::Slice(slice) => return self.list(&slice.elem, user, defs),
            Type::Array(array) => {
                let Expr::Lit(syn::ExprLit { lit: Lit::Int(count), .. }) = &array.len else {
                    panic!("an array has no plain length");
                };
                let count: u64 = count.base10_parse().expect("it is a number");
                let mut list = self.list(&array.elem, user, defs);
                list.extend(object(json!({ "minItems": count, "maxItems": count })));
                return list;
            }
            Type::Tuple(tuple) => {
                let items = tuple.elems.iter().map(|item| self.of_type(item, user, defs).into());
                let items: Vec<Value> = items.collect();
                let count = items.len();
                return object(json!({ "type": "array", "prefixItems": items, "minItems": count,
                    "maxItems": count }));
            }
            Type::Path(path) => path.path.segments.last().expect("it has a name"),
            _ => panic!("a type in {} is not understood", user.display()),
        };
        let inner: Vec<&Type> = match &path.arguments {
            PathArguments::AngleBracketed(told) => told.args.iter().filter_map(argument).collect(),
            _ => Vec::new(),
        };
        match (path.ident.to_string().as_str(), inner.as_slice()) {
            ("bool", []) => object(json!({ "type": "boolean" })),
            ("u8" | "u16" | "u32" | "u64" | "usize", []) => {
                object(json!({ "type": "integer", "minimum": 0 }))
            }
            ("i32" | "i64", []) => object(json!({ "type": "integer" })),
            ("f64", []) => object(json!({ "type": "number" })),
            // Of serde_json: whatever another program said.
            ("Value", []) => Map::new(),
            ("String" | "str", []) => object(json!({ "type": "string" })),
            ("Box", [inner]) => self.of_type(inner, user, defs),
            ("Vec", [inner]) => self.list(inner, user, defs),
            ("Option", [inner]) => {
                let inner = self.of_type(inner, user, defs);
                object(json!({ "anyOf": [inner, { "type": "null" }] }))
            }
            ("BTreeMap", [_, inner]) => {
                let inner = self.of_type(inner, user, defs);
                object(json!({ "type": "object", "additionalProperties": inner }))
            }
            (name, []) => self.reference(name, user, defs),
            (name, _) => panic!("the type {name} of {} is not understood", user.display()),
        }
    }

    /// Returns the schema of a list.
    fn list(&self, inner: &Type, user: &Path, defs: &mut Map<String, Value>) -> Map<String, Value> {
        let inner = self.of_type(inner, user, defs);
        object(json!({ "type": "array", "items": inner }))
    }

    /// Returns a reference to a type, which is defined too. Of two with one name, the second is
    /// called by its file as well.
    fn reference(
        &self,
        name: &str,
        user: &Path,
        defs: &mut Map<String, Value>,
    ) -> Map<String, Value> {
        let found = self.find(name, user);
        let is_other = |(path, item): &&(PathBuf, Item)| {
            named(item) == name && is_public(item) && *path != found.0
        };
        let is_only = !self.all.iter().any(|other| is_other(&other));
        let file = found.0.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let key = if is_only { name.to_owned() } else { format!("{name}.{file}") };
        if !defs.contains_key(&key) {
            let schema = self.of(found, defs);
            defs.insert(key.clone(), schema.into());
        }
        object(json!({ "$ref": format!("#/$defs/{key}") }))
    }
}

/// Returns a type that is an argument of another.
fn argument(argument: &GenericArgument) -> Option<&Type> {
    match argument {
        GenericArgument::Type(of) => Some(of),
        _ => None,
    }
}

/// Returns the object that a value is.
fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => unreachable!("only objects are made"),
    }
}

/// Returns whether files beyond its own can use a type.
fn is_public(item: &Item) -> bool {
    match item {
        Item::Struct(item) => !matches!(item.vis, Visibility::Inherited),
        Item::Enum(item) => !matches!(item.vis, Visibility::Inherited),
        _ => false,
    }
}

/// Returns whether an item is a type that serde writes.
fn is_written(item: &Item) -> bool {
    let (Item::Struct(ItemStruct { attrs, .. }) | Item::Enum(ItemEnum { attrs, .. })) = item else {
        return false;
    };
    attrs.iter().filter(|told| told.path().is_ident("derive")).any(|told| {
        let names = told.parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated);
        names.expect("it is a list").iter().any(|name| name.is_ident("Serialize"))
    })
}

/// Returns the name of a type.
fn named(item: &Item) -> String {
    match item {
        Item::Struct(item) => item.ident.to_string(),
        Item::Enum(item) => item.ident.to_string(),
        _ => String::new(),
    }
}

/// Returns what serde is told.
fn serde(attributes: &[Attribute]) -> Told {
    let mut all = Told::new();
    for attribute in attributes.iter().filter(|told| told.path().is_ident("serde")) {
        let told = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
        for meta in told.expect("it is a list") {
            let value = match &meta {
                Meta::NameValue(pair) => text(&pair.value),
                _ => String::new(),
            };
            let word = meta.path().get_ident().map(ToString::to_string).unwrap_or_default();
            let known = [
                "default",
                "flatten",
                "from",
                "into",
                "rename",
                "rename_all",
                "skip_serializing_if",
            ];
            assert!(known.contains(&word.as_str()), "serde's {word} is not understood");
            all.insert(word, value);
        }
    }
    all
}

/// Returns the text that an expression is.
fn text(of: &Expr) -> String {
    match of {
        Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => text.value(),
        _ => String::new(),
    }
}

/// Adds what the documentation says.
fn describe(schema: &mut Map<String, Value>, attributes: &[Attribute]) {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => Some(text(&pair.value)),
        _ => None,
    });
    let lines: Vec<String> = lines.map(|line| line.trim().to_owned()).collect();
    if !lines.is_empty() {
        schema.insert("description".to_owned(), lines.join(" ").trim().into());
    }
}

/// Returns the name of a variant as a rule of serde writes it.
fn cased(name: &str, rule: &str) -> String {
    let between = match rule {
        "snake_case" => '_',
        "kebab-case" => '-',
        _ => panic!("the rule {rule} is not understood"),
    };
    let mut cased = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !cased.is_empty() {
            cased.push(between);
        }
        cased.push(letter.to_ascii_lowercase());
    }
    cased
}
