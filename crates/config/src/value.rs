//! Values in plain units: each is text that is read into a type which cannot be wrong.

mod address;
mod path;
mod size;
mod span;
mod url;

pub use address::ListenAddress;
pub use path::FilePath;
pub use size::ByteSize;
pub use span::TimeSpan;
pub use url::WebAddress;

/// Lets a type that has `FORMAT`, `EXPECTS`, `FromStr` and `Display` stand in the tree; with `number`, a bare number is
/// read as its text.
macro_rules! text_value {
    ($type:ident $(, $number:ident)?) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Reader;
                impl serde::de::Visitor<'_> for Reader {
                    type Value = $type;

                    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        out.write_str($type::EXPECTS)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }

                    $(fn visit_u64<E: serde::de::Error>(self, $number: u64) -> Result<$type, E> {
                        $number.to_string().parse().map_err(E::custom)
                    })?
                }
                from.deserialize_any(Reader)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "format": $type::FORMAT })
            }
        }
    };
}
use text_value;

#[cfg(test)]
mod tests;
