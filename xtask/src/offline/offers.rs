//! What apt's listings mean.

use std::fmt;

/// One version of a package that a repository offers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Offer {
    /// The package.
    pub(super) package: String,
    /// Its whole Debian version.
    pub(super) version: String,
}

/// As apt-get takes it.
impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.package, self.version)
    }
}

/// Reads what `apt-cache madison` prints: the newest version of a package comes first.
pub(super) fn parse_madison(listing: &str) -> Vec<Offer> {
    listing.lines().filter_map(parse_madison_line).collect()
}

fn parse_madison_line(line: &str) -> Option<Offer> {
    let mut fields = line.split('|').map(str::trim);
    let (package, version, origin) = (fields.next()?, fields.next()?, fields.next()?);
    // A source package may have the same name.
    origin.ends_with("Packages").then(|| Offer {
        package: package.to_owned(),
        version: version.to_owned(),
    })
}

/// The newest offer of a package.
pub(super) fn newest<'a>(offers: &'a [Offer], package: &str) -> Option<&'a Offer> {
    offers.iter().find(|offer| offer.package == package)
}

/// The newest offer of a package that is made of exactly this upstream version.
pub(super) fn of_upstream<'a>(offers: &'a [Offer], package: &str, version: &str) -> Option<&'a Offer> {
    offers
        .iter()
        .find(|offer| offer.package == package && upstream(&offer.version) == version)
}

/// The upstream part of a Debian version: without epoch, Debian revision, and the mark of a repacked source.
fn upstream(version: &str) -> &str {
    let version = version.split_once(':').map_or(version, |(_epoch, rest)| rest);
    let version = version
        .rsplit_once('-')
        .map_or(version, |(upstream, _revision)| upstream);
    version.split_once('+').map_or(version, |(upstream, _mark)| upstream)
}

/// The repositories that `apt-get indextargets` lists as `URI RELEASE`. Security updates come from a place of their own
/// that holds no other suites.
pub(super) fn parse_repositories(listing: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in listing.lines() {
        let Some((uri, release)) = line.trim().rsplit_once(' ') else {
            continue;
        };
        if !release.ends_with("-security") && !found.iter().any(|known| known == uri) {
            found.push(uri.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{newest, of_upstream, parse_madison, parse_repositories, upstream};

    const LISTING: &str = "\
  rust-src | 1.96.1+dfsg1-2~bpo13+1 | http://mirror.example/debian trixie-backports/main amd64 Packages
  rust-src | 1.95.0+dfsg1-2~bpo13+1 | http://mirror.example/debian trixie-backports/main amd64 Packages
  rust-src | 1.95.0+dfsg1-1~bpo13+1 | http://mirror.example/debian trixie-backports/main amd64 Packages
 wasi-libc | 0.0~git20260129.ec0effd-3 | http://mirror.example/debian trixie-backports/main amd64 Packages
     rustc | 1.94.0+dfsg1-1 | http://mirror.example/debian trixie-backports/main Sources
";

    fn picked(version: &str) -> Option<String> {
        of_upstream(&parse_madison(LISTING), "rust-src", version).map(|offer| offer.version.clone())
    }

    #[test]
    fn a_backport_of_the_same_upstream_version_is_taken_and_the_newest_of_them() {
        assert_eq!(picked("1.95.0").as_deref(), Some("1.95.0+dfsg1-2~bpo13+1"));
    }

    #[test]
    fn another_upstream_version_is_never_taken() {
        assert_eq!(picked("1.95.1"), None);
        assert_eq!(picked("1.95"), None);
        assert_eq!(picked("1.97.0-nightly"), None);
    }

    #[test]
    fn a_beta_is_not_its_release() {
        assert_eq!(upstream("1.95.0~beta.3+dfsg1-1"), "1.95.0~beta.3");
    }

    #[test]
    fn an_epoch_is_not_part_of_the_upstream_version() {
        assert_eq!(upstream("5:7.0.15-1~deb12u10"), "7.0.15");
        assert_eq!(upstream("8.1"), "8.1");
    }

    #[test]
    fn the_newest_offer_is_the_first_listed() {
        let offers = parse_madison(LISTING);
        let offer = newest(&offers, "wasi-libc").unwrap();
        assert_eq!(offer.version, "0.0~git20260129.ec0effd-3");
    }

    #[test]
    fn sources_and_lines_that_are_no_offers_are_left_out() {
        let offers = parse_madison(LISTING);
        assert_eq!(newest(&offers, "rustc"), None);
        assert_eq!(parse_madison("N: Unable to locate package rust-src\n"), []);
    }

    #[test]
    fn each_repository_is_named_once_and_security_never() {
        let listing = "\
http://mirror.example/debian-security/ bookworm-security
http://mirror.example/debian/ bookworm
http://mirror.example/debian/ bookworm-updates
";
        assert_eq!(parse_repositories(listing), ["http://mirror.example/debian/"]);
    }
}
