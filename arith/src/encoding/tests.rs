use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::{short_weierstrass::SWCurveConfig, AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, BigInteger, PrimeField, UniformRand};
use ark_std::test_rng;

use super::{DecodeError, Reader, Writer};

#[test]
fn values_survive_a_round_trip() {
    let rng = &mut test_rng();
    let (f, g1, g2) = (Fr::rand(rng), G1Affine::rand(rng), G2Affine::rand(rng));
    let mut writer = Writer::little_endian(0);
    writer.u64(7).field(&f).point(&g1).point(&g2).point(&G1Affine::identity());
    let bytes = writer.finish();
    assert_eq!(bytes.len(), 8 + 32 + 64 + 128 + 64);
    let mut reader = Reader::little_endian(&bytes);
    assert_eq!(reader.u64(), Ok(7));
    assert_eq!(reader.field(), Ok(f));
    assert_eq!(reader.point(), Ok(g1));
    assert_eq!(reader.point(), Ok(g2));
    assert_eq!(reader.point(), Ok(G1Affine::identity()));
    assert_eq!(reader.finish(), Ok(()));
}

#[test]
fn the_byte_order_is_the_formats() {
    let mut little = Writer::little_endian(0);
    let mut big = Writer::big_endian(0);
    little.u16(1).u32(2).u64(3).field(&Fr::from(4));
    big.u16(1).u32(2).u64(3).field(&Fr::from(4));
    let mut values = little.as_slice();
    let mut reversed: Vec<u8> = Vec::new();
    for width in [2, 4, 8, 32] {
        let (value, rest) = values.split_at(width);
        reversed.extend(value.iter().rev());
        values = rest;
    }
    assert_eq!(big.as_slice(), reversed);
    let mut reader = Reader::big_endian(big.as_slice());
    assert_eq!((reader.u16(), reader.u32(), reader.u64()), (Ok(1), Ok(2), Ok(3)));
    assert_eq!(reader.field(), Ok(Fr::from(4)));
    assert_eq!(reader.finish(), Ok(()));
}

#[test]
fn a_field_element_has_one_encoding() {
    let modulus = Fr::MODULUS.to_bytes_le();
    assert_eq!(Reader::little_endian(&modulus).field::<Fr>(), Err(DecodeError::NotReduced(0)));
    assert_eq!(Reader::little_endian(&[0xff; 32]).field::<Fq>(), Err(DecodeError::NotReduced(0)));
}

#[test]
fn points_off_the_curve_are_refused() {
    let mut writer = Writer::little_endian(0);
    writer.fields(&[Fq::from(1), Fq::from(1)]);
    assert_eq!(
        Reader::little_endian(writer.as_slice()).point::<ark_bn254::g1::Config>(),
        Err(DecodeError::NotOnCurve(0))
    );
}

#[test]
fn points_outside_the_subgroup_are_refused() {
    // Almost no point of the twist lies in the subgroup, so the first x that has a y will do.
    let outside = (1u64..)
        .find_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::new(Fq::from(x), Fq::ZERO), false))
        .expect("half of all x have a y");
    assert!(!(outside.into_group() * Fr::from(-1) + outside).into_affine().is_zero());
    let mut writer = Writer::little_endian(0);
    writer.point(&outside);
    assert_eq!(
        Reader::little_endian(writer.as_slice()).point::<ark_bn254::g2::Config>(),
        Err(DecodeError::NotInSubgroup(0))
    );
}

/// With a constant term, (0, 0) does not satisfy the curve equation.
#[test]
fn the_bytes_of_infinity_are_no_other_point() {
    assert_ne!(ark_bn254::g1::Config::COEFF_B, Fq::ZERO);
    assert_ne!(ark_bn254::g2::Config::COEFF_B, Fq2::ZERO);
    assert_ne!(ark_grumpkin::GrumpkinConfig::COEFF_B, Fr::ZERO);
}
