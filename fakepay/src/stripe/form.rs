//! Stripe's form encoding: `amount=100&metadata[booking]=7&expand[]=latest_charge`.

use super::refusal::Refusal;
use std::collections::BTreeMap;

/// Pairs in one request, and parts of one key.
const MOST_PAIRS: usize = 200;
const MOST_PARTS: usize = 4;
/// Bounds of metadata. Source: <https://docs.stripe.com/api/metadata>.
const MOST_METADATA: usize = 50;
const LONGEST_METADATA_KEY: usize = 40;
const LONGEST_METADATA_VALUE: usize = 500;

/// What a request says: each value with the parts of its key.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(Vec<String>, String)>);

impl Form {
    /// Reads a query or a body.
    ///
    /// # Errors
    /// When it is no UTF-8, has too many pairs, or has a key with brackets that do not match.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Refusal> {
        let pairs = form_urlencoded::parse(text);
        let pairs = pairs.take(MOST_PAIRS + 1).map(|(key, value)| {
            let is_text = !key.contains('\u{fffd}') && !value.contains('\u{fffd}');
            let parts = is_text.then(|| parts(&key)).flatten();
            let parts = parts.ok_or_else(|| Refusal::parameter("", &key, "Invalid key"))?;
            Ok((parts, value.into_owned()))
        });
        let pairs: Vec<_> = pairs.collect::<Result<_, Refusal>>()?;
        if pairs.len() > MOST_PAIRS {
            return Err(Refusal::parameter("", "", "Too many parameters"));
        }
        Ok(Self(pairs))
    }

    /// One text for everything that it says, whatever its order.
    pub(super) fn canonical(&self) -> String {
        let mut pairs: Vec<_> = self.0.iter().map(|pair| format!("{pair:?}")).collect();
        pairs.sort();
        pairs.concat()
    }

    /// Refuses what is not among these.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        match self.0.iter().find(|(parts, _)| !known.contains(&parts[0].as_str())) {
            None => Ok(()),
            Some((parts, _)) => {
                let message = format!("Received unknown parameter: {}", parts[0]);
                Err(Refusal::parameter("parameter_unknown", &parts[0], &message))
            }
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.nested(&[name])
    }

    /// The value below these parts of a key; an empty one is none.
    pub(super) fn nested(&self, wanted: &[&str]) -> Option<&str> {
        let pair = self.0.iter().find(|(parts, _)| parts == wanted);
        pair.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    pub(super) fn needed(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name).ok_or_else(|| {
            let message = format!("Missing required param: {name}.");
            Refusal::parameter("parameter_missing", name, &message)
        })
    }

    /// A whole number.
    pub(super) fn integer(&self, wanted: &[&str]) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.nested(wanted) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            let message = format!("Invalid integer: {text}");
            Refusal::parameter("parameter_invalid_integer", wanted[0], &message)
        })
    }

    pub(super) fn flag(&self, wanted: &[&str]) -> Result<bool, Refusal> {
        match self.nested(wanted) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(text) => {
                let message = format!("Invalid boolean: {text}");
                Err(Refusal::parameter("", wanted[0], &message))
            }
        }
    }

    /// One of these words, the first of them where nothing is said.
    pub(super) fn one_of(
        &self,
        name: &str,
        words: &[&'static str],
    ) -> Result<&'static str, Refusal> {
        let Some(text) = self.text(name) else { return Ok(words[0]) };
        words.iter().copied().find(|word| *word == text).ok_or_else(|| {
            let message = format!("Invalid {name}: must be one of {}", words.join(", "));
            Refusal::parameter("", name, &message)
        })
    }

    /// The values of a list, `name[]=a` or `name[0]=a`.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let of_list = self.0.iter().filter(|(parts, _)| parts.len() == 2 && parts[0] == name);
        of_list.map(|(_, value)| value.clone()).collect()
    }

    pub(super) fn metadata(&self) -> Result<BTreeMap<String, String>, Refusal> {
        let refuse = |message| Err(Refusal::parameter("", "metadata", message));
        let mut metadata = BTreeMap::new();
        for (parts, value) in self.0.iter().filter(|(parts, _)| parts[0] == "metadata") {
            let [_, key] = parts.as_slice() else { return refuse("Invalid metadata") };
            let is_long = key.chars().count() > LONGEST_METADATA_KEY
                || value.chars().count() > LONGEST_METADATA_VALUE;
            if key.is_empty() || is_long {
                return refuse("Metadata keys have up to 40 characters, values up to 500");
            }
            metadata.insert(key.clone(), value.clone());
        }
        if metadata.len() > MOST_METADATA {
            return refuse("There are at most 50 keys of metadata");
        }
        Ok(metadata)
    }
}

/// The parts of a key: `a[b][]` is `a`, `b` and an empty one.
fn parts(key: &str) -> Option<Vec<String>> {
    let Some((first, rest)) = key.split_once('[') else {
        let is_name = !key.is_empty() && !key.contains(']');
        return is_name.then(|| vec![key.to_owned()]);
    };
    let rest = rest.strip_suffix(']')?;
    let mut parts = vec![first.to_owned()];
    parts.extend(rest.split("][").map(str::to_owned));
    let is_clean = parts.iter().all(|part| !part.contains(['[', ']']));
    (is_clean && !first.is_empty() && parts.len() <= MOST_PARTS).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_part_by_part() {
        for (key, wanted) in [
            ("amount", Some(vec!["amount"])),
            ("metadata[booking]", Some(vec!["metadata", "booking"])),
            ("expand[]", Some(vec!["expand", ""])),
            ("a[b][c]", Some(vec!["a", "b", "c"])),
            ("a[b", None),
            ("a]", None),
            ("a[b]c", None),
            ("a[[b]]", None),
            ("[a]", None),
            ("", None),
            ("a[b][c][d][e]", None),
        ] {
            let wanted = wanted.map(|parts: Vec<_>| parts.iter().map(|p| p.to_string()).collect());
            assert_eq!(parts(key), wanted, "{key}");
        }
    }

    #[test]
    fn the_order_of_pairs_does_not_change_what_a_form_says() {
        let canonical = |text: &str| Form::parse(text.as_bytes()).expect("a form").canonical();
        assert_eq!(canonical("a=1&b[c]=2"), canonical("b%5Bc%5D=2&a=1"));
        assert_ne!(canonical("a=1&b=2"), canonical("a=2&b=1"));
    }
}
