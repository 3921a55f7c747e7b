//! Records in the order in which they came, found by their ids, up to a bound.

use serde::{Deserialize, Serialize, Serializer};
use std::collections::{HashMap, VecDeque};

/// Something that has an id and a time.
pub(crate) trait Record {
    fn id(&self) -> &str;
    /// In Unix seconds.
    fn created(&self) -> i64;
}

/// At most `MOST` records; on disk they are a list.
#[derive(Debug, Deserialize)]
#[serde(from = "Vec<T>", bound(deserialize = "T: Record + Deserialize<'de>"))]
pub(crate) struct Shelf<T, const MOST: usize> {
    records: VecDeque<T>,
    /// What an id's number is: its place in `records` plus how many were forgotten.
    numbers: HashMap<String, usize>,
    forgotten: usize,
}

/// There is no room for another record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Full;

impl<T, const MOST: usize> Default for Shelf<T, MOST> {
    fn default() -> Self {
        Self { records: VecDeque::new(), numbers: HashMap::new(), forgotten: 0 }
    }
}

impl<T: Record, const MOST: usize> From<Vec<T>> for Shelf<T, MOST> {
    fn from(records: Vec<T>) -> Self {
        let mut shelf = Self::default();
        records.into_iter().for_each(|record| shelf.push(record));
        shelf
    }
}

impl<T: Serialize, const MOST: usize> Serialize for Shelf<T, MOST> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.records.serialize(serializer)
    }
}

impl<T: Record, const MOST: usize> Shelf<T, MOST> {
    pub(crate) fn has_room(&self) -> Result<(), Full> {
        if self.records.len() < MOST { Ok(()) } else { Err(Full) }
    }

    /// Adds a record; the oldest is forgotten when there is no room.
    pub(crate) fn push(&mut self, record: T) {
        if self.has_room().is_err()
            && let Some(oldest) = self.records.pop_front()
        {
            self.numbers.remove(oldest.id());
            self.forgotten += 1;
        }
        self.numbers.insert(record.id().to_owned(), self.forgotten + self.records.len());
        self.records.push_back(record);
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.records.get(self.numbers.get(id)? - self.forgotten)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.records.get_mut(self.numbers.get(id)? - self.forgotten)
    }

    /// All of them, the oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.records.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.records.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Named(&'static str);

    impl Record for Named {
        fn id(&self) -> &str {
            self.0
        }

        fn created(&self) -> i64 {
            0
        }
    }

    #[test]
    fn a_full_shelf_forgets_the_oldest_and_finds_the_others() {
        let mut shelf = Shelf::<Named, 2>::default();
        for name in ["a", "b", "c"] {
            shelf.push(Named(name));
        }
        assert!(shelf.has_room().is_err());
        let found = ["a", "b", "c"].map(|name| shelf.get(name).map(|named| named.0));
        assert_eq!(found, [None, Some("b"), Some("c")]);
    }
}
