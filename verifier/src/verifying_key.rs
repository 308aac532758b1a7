//! The verifying key, its bytes and its id.

use std::{fmt, str::FromStr};

use ark_bn254::{G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::PrimeField;
use rootfold_arith::encoding::{DecodeError, Reader, Writer};
use thiserror::Error;

use crate::{
    domain,
    folding::{digest::Digest, F},
};

const MAGIC: &[u8; 8] = b"rootf-vk";
/// The version of the verifying key.
pub const VERSION: u8 = 1;
/// Longest profile name in bytes.
const MAX_PROFILE_LEN: usize = 32;

/// The id of a set of parameters: a hash over circuit, profile and keys.
///
/// An invite contains it beside the space id. Verifiers that use the same id accept the same
/// proofs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParameterId(pub [u8; 32]);

impl ParameterId {
    /// The public-parameter hash, which every transcript and state hash absorbs first.
    ///
    /// It is a function of the id. The circuit, which the id covers, does not depend on it, since
    /// the augmented circuit takes it as a witness.
    pub fn pp_hash(&self) -> F {
        let hash = blake3::derive_key(domain::PUBLIC_PARAMETERS, &self.0);
        // 31 bytes are always below the modulus, so no two values collide by reduction.
        F::from_le_bytes_mod_order(&hash[..31])
    }

    /// The first eight hexadecimal digits, for reports.
    pub fn short(&self) -> String {
        self.to_string()[..8].to_owned()
    }
}

impl fmt::Display for ParameterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ParameterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParameterId({self})")
    }
}

/// A string is not 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("parameter id: expected 64 lower-case hexadecimal digits")]
pub struct ParameterIdSyntax;

impl FromStr for ParameterId {
    type Err = ParameterIdSyntax;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(ParameterIdSyntax);
        }
        let mut id = [0; 32];
        for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = (nibble(pair[0])? << 4) | nibble(pair[1])?;
        }
        Ok(Self(id))
    }
}

fn nibble(digit: u8) -> Result<u8, ParameterIdSyntax> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(ParameterIdSyntax),
    }
}

/// Why a verifying key must not be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// An element is the point at infinity.
    #[error("{0} is the point at infinity")]
    Identity(&'static str),
    /// An element is not a point of its group.
    #[error("{0} is not in its group")]
    NotInGroup(&'static str),
    /// Two elements of one group are equal up to sign.
    #[error("{0} and {1} are equal up to sign")]
    Related(&'static str, &'static str),
    /// The circuit has as many witnesses as constraints. The lengths of the two commitment lists
    /// must differ.
    #[error("both commitment lists have {0} elements")]
    EqualLengths(u64),
    /// The profile name is empty, too long or has a character outside `a-z 0-9 _ -`.
    #[error("`{0}` is not a profile name: expected 1 to 32 characters of a-z 0-9 _ -")]
    Profile(String),
    /// The key was made for another CycleFold circuit, other Grumpkin bases or another sponge than
    /// those of this program.
    #[error("the key was made by a version with another folding circuit")]
    OtherFolding,
    /// sonobe did not synthesize the CycleFold circuit.
    #[error("the CycleFold circuit could not be synthesized: {0}")]
    Synthesis(String),
}

/// The part of the parameters that a verifier needs.
///
/// `*_g1` and `*_g2` name the group of an element. The letters are Groth16's; `base_*` are the
/// elements of its public input, and `sigma_*` belong to the knowledge check of `docs/design.md`,
/// section 6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    /// Name of the step circuit's shape: 1 to 32 characters of `a-z 0-9 _ -`.
    pub profile: String,
    /// Whether these are development parameters: one machine made them and could have kept the
    /// trapdoor.
    pub development: bool,
    /// The cursor outside an epoch. A proof is accepted only for a state with this cursor.
    pub idle: F,
    /// Number of constraints of the augmented step circuit: the length of an error vector.
    pub constraints: u64,
    /// Number of witness variables of the augmented step circuit.
    pub witnesses: u64,
    /// Digest of the augmented step circuit.
    pub step_digest: Digest,
    /// Digest of the parts of folding that the code fixes:
    /// [`CycleFoldShape::digest`](crate::folding::cyclefold::CycleFoldShape::digest).
    pub folding_digest: Digest,
    /// Digest of the bases that only provers need: commitment, knowledge and Groth16 bases.
    pub proving_digest: Digest,
    /// `[alpha]_1`.
    pub alpha_g1: G1Affine,
    /// `[beta]_2`.
    pub beta_g2: G2Affine,
    /// `[gamma]_2`.
    pub gamma_g2: G2Affine,
    /// `[delta]_2`.
    pub delta_g2: G2Affine,
    /// Base of the public input 1.
    pub base_one_g1: G1Affine,
    /// Base of the step's public input.
    pub base_x_g1: G1Affine,
    /// `[sigma_W]_2`.
    pub sigma_w_g2: G2Affine,
    /// `[sigma_E]_2`.
    pub sigma_e_g2: G2Affine,
}

impl VerifyingKey {
    /// The id of these parameters, a hash of the encoded key.
    pub fn id(&self) -> ParameterId {
        ParameterId(blake3::derive_key(domain::PARAMETER_ID, &self.encode()))
    }

    /// A short name: profile, `dev` for development parameters, and the first digits of the id.
    pub fn name(&self) -> String {
        let origin = if self.development { "dev-" } else { "" };
        format!("{}-{origin}{}", self.profile, self.id().short())
    }

    /// Checks the profile name and the lengths, and that the elements are points of their groups,
    /// not at infinity, and pairwise different up to sign within each group.
    ///
    /// Some equalities break the proof system (`gamma = delta`, `sigma_W = sigma_E`, a sigma equal
    /// to the generator). The others do not occur in an honest setup.
    ///
    /// # Errors
    /// [`KeyError`] for the first check that fails.
    pub fn check(&self) -> Result<(), KeyError> {
        if !is_profile_name(&self.profile) {
            return Err(KeyError::Profile(self.profile.clone()));
        }
        if self.constraints == self.witnesses {
            return Err(KeyError::EqualLengths(self.constraints));
        }
        let g1 = [
            ("alpha_g1", self.alpha_g1),
            ("base_one_g1", self.base_one_g1),
            ("base_x_g1", self.base_x_g1),
        ];
        let g2 = [
            ("the generator of G2", G2Affine::generator()),
            ("beta_g2", self.beta_g2),
            ("gamma_g2", self.gamma_g2),
            ("delta_g2", self.delta_g2),
            ("sigma_w_g2", self.sigma_w_g2),
            ("sigma_e_g2", self.sigma_e_g2),
        ];
        for (name, point) in g1 {
            check_element(
                name,
                &point,
                point.is_on_curve() && point.is_in_correct_subgroup_assuming_on_curve(),
            )?;
        }
        for (name, point) in g2 {
            check_element(
                name,
                &point,
                point.is_on_curve() && point.is_in_correct_subgroup_assuming_on_curve(),
            )?;
        }
        check_unrelated(&g1)?;
        check_unrelated(&g2)
    }

    /// Encodes the key; `docs/formats.md` describes the bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Writer::little_endian(1024);
        bytes
            .bytes(MAGIC)
            .u8(VERSION)
            .u64(self.profile.len() as u64)
            .bytes(self.profile.as_bytes())
            .u8(u8::from(self.development))
            .field(&self.idle)
            .u64(self.constraints)
            .u64(self.witnesses)
            .bytes(&self.step_digest)
            .bytes(&self.folding_digest)
            .bytes(&self.proving_digest)
            .point(&self.alpha_g1)
            .point(&self.beta_g2)
            .point(&self.gamma_g2)
            .point(&self.delta_g2)
            .point(&self.base_one_g1)
            .point(&self.base_x_g1)
            .point(&self.sigma_w_g2)
            .point(&self.sigma_e_g2);
        bytes.finish()
    }

    /// Decodes a key. [`PreparedVerifyingKey::new`](crate::PreparedVerifyingKey::new) checks it.
    ///
    /// # Errors
    /// [`DecodeError`] for any bytes that [`VerifyingKey::encode`] does not produce.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::little_endian(bytes);
        let key = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(key)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if reader.array()? != *MAGIC {
            return Err(DecodeError::Magic("verifying key"));
        }
        let version = reader.u8()?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let profile_len = reader.count(MAX_PROFILE_LEN)?;
        let at = reader.offset();
        let profile = std::str::from_utf8(reader.bytes(profile_len)?)
            .ok()
            .filter(|name| is_profile_name(name))
            .ok_or(DecodeError::Undefined(at))?
            .to_owned();
        Ok(Self {
            profile,
            development: reader.flag()?,
            idle: reader.field()?,
            constraints: reader.u64()?,
            witnesses: reader.u64()?,
            step_digest: reader.array()?,
            folding_digest: reader.array()?,
            proving_digest: reader.array()?,
            alpha_g1: reader.point()?,
            beta_g2: reader.point()?,
            gamma_g2: reader.point()?,
            delta_g2: reader.point()?,
            base_one_g1: reader.point()?,
            base_x_g1: reader.point()?,
            sigma_w_g2: reader.point()?,
            sigma_e_g2: reader.point()?,
        })
    }
}

/// Whether `name` is a valid profile name: 1 to 32 characters of `a-z 0-9 _ -`.
pub fn is_profile_name(name: &str) -> bool {
    (1..=MAX_PROFILE_LEN).contains(&name.len())
        && name.bytes().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

fn check_element<P: AffineRepr>(
    name: &'static str,
    point: &P,
    in_group: bool,
) -> Result<(), KeyError> {
    if point.is_zero() {
        return Err(KeyError::Identity(name));
    }
    if !in_group {
        return Err(KeyError::NotInGroup(name));
    }
    Ok(())
}

fn check_unrelated<P: AffineRepr>(points: &[(&'static str, P)]) -> Result<(), KeyError> {
    for (index, (name, point)) in points.iter().enumerate() {
        for (other_name, other) in &points[..index] {
            if point == other || *point == -*other {
                return Err(KeyError::Related(other_name, name));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use ark_bn254::Fq;
    use ark_ff::{Field, UniformRand};
    use ark_std::test_rng;

    pub(crate) fn random_key() -> VerifyingKey {
        let rng = &mut test_rng();
        VerifyingKey {
            profile: "small".into(),
            development: true,
            idle: F::rand(rng),
            constraints: 7,
            witnesses: 5,
            step_digest: [1; 32],
            folding_digest: [2; 32],
            proving_digest: [3; 32],
            alpha_g1: G1Affine::rand(rng),
            beta_g2: G2Affine::rand(rng),
            gamma_g2: G2Affine::rand(rng),
            delta_g2: G2Affine::rand(rng),
            base_one_g1: G1Affine::rand(rng),
            base_x_g1: G1Affine::rand(rng),
            sigma_w_g2: G2Affine::rand(rng),
            sigma_e_g2: G2Affine::rand(rng),
        }
    }

    fn broken(change: impl FnOnce(&mut VerifyingKey)) -> Result<(), KeyError> {
        let mut key = random_key();
        change(&mut key);
        key.check()
    }

    #[test]
    fn an_honest_key_passes_and_survives_a_round_trip() {
        let key = random_key();
        assert_eq!(key.check(), Ok(()));
        assert_eq!(VerifyingKey::decode(&key.encode()), Ok(key));
    }

    #[test]
    fn every_bad_key_is_refused() {
        use KeyError::*;
        assert_eq!(broken(|k| k.delta_g2 = k.gamma_g2), Err(Related("gamma_g2", "delta_g2")));
        assert_eq!(broken(|k| k.delta_g2 = -k.gamma_g2), Err(Related("gamma_g2", "delta_g2")));
        assert_eq!(
            broken(|k| k.sigma_e_g2 = k.sigma_w_g2),
            Err(Related("sigma_w_g2", "sigma_e_g2"))
        );
        assert_eq!(
            broken(|k| k.sigma_w_g2 = G2Affine::generator()),
            Err(Related("the generator of G2", "sigma_w_g2"))
        );
        assert_eq!(
            broken(|k| k.base_x_g1 = k.base_one_g1),
            Err(Related("base_one_g1", "base_x_g1"))
        );
        assert_eq!(broken(|k| k.base_x_g1 = G1Affine::identity()), Err(Identity("base_x_g1")));
        assert_eq!(broken(|k| k.sigma_e_g2 = G2Affine::identity()), Err(Identity("sigma_e_g2")));
        assert_eq!(
            broken(|k| k.alpha_g1 = G1Affine::new_unchecked(Fq::ONE, Fq::ONE)),
            Err(NotInGroup("alpha_g1"))
        );
        assert_eq!(broken(|k| k.witnesses = 7), Err(EqualLengths(7)));
        assert_eq!(broken(|k| k.profile = "../x".into()), Err(Profile("../x".into())));
    }

    #[test]
    fn the_id_covers_every_byte() {
        let key = random_key();
        let bytes = key.encode();
        let mut ids = vec![key.id()];
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            if let Ok(other) = VerifyingKey::decode(&flipped) {
                ids.push(other.id());
            }
        }
        assert!(ids.len() > 100);
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }

    #[test]
    fn an_id_survives_its_text() {
        let id = random_key().id();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("00".parse::<ParameterId>(), Err(ParameterIdSyntax));
        assert_eq!("zz".repeat(32).parse::<ParameterId>(), Err(ParameterIdSyntax));
    }
}
