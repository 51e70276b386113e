//! The path parameters of a route.

/// The path parameters of a route, percent-decoded. They supply the values for a requirement's
/// `{name}`.
pub trait PathParameters {
    /// Returns the value of a parameter, or `None` if the route has no parameter of that name.
    fn get(&self, name: &str) -> Option<&str>;
}

/// A route without path parameters.
impl PathParameters for () {
    fn get(&self, _: &str) -> Option<&str> {
        None
    }
}

impl<K: AsRef<str>, V: AsRef<str>> PathParameters for [(K, V)] {
    fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(key, _)| key.as_ref() == name).map(|(_, value)| value.as_ref())
    }
}

impl<K: AsRef<str>, V: AsRef<str>, const N: usize> PathParameters for [(K, V); N] {
    fn get(&self, name: &str) -> Option<&str> {
        PathParameters::get(self.as_slice(), name)
    }
}
