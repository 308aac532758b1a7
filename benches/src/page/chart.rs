//! SVG charts: lines on logarithmic axes, grouped bars and stacked bars.

use anyhow::{Context, Result};
use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

const SIZE: (u32, u32) = (760, 380);
const TITLE: (&str, i32) = ("sans-serif", 18);
const TEXT: (&str, i32) = ("sans-serif", 14);
/// The first seven are from the palette of Okabe and Ito, which colour-blind readers can
/// distinguish.
const COLOURS: [RGBColor; 10] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
    RGBColor(240, 228, 66),
    RGBColor(150, 150, 150),
    RGBColor(90, 60, 120),
    RGBColor(140, 200, 120),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A data series: its name in the legend, and its points or bar lengths in order.
pub(super) struct Series<T> {
    pub(super) name: String,
    pub(super) of: Vec<T>,
}

/// The title of a chart and the descriptions of its axes.
pub(super) struct Labels<'a> {
    pub(super) title: &'a str,
    pub(super) x: &'a str,
    pub(super) y: &'a str,
}

/// Draws a line through the points of each series. Both axes are logarithmic.
pub(super) fn lines(labels: &Labels<'_>, all: &[Series<(f64, f64)>]) -> Result<String> {
    let points = || all.iter().flat_map(|line| line.of.iter().copied());
    let (left, right) = decades(points().map(|(x, _)| x)).context("a chart without points")?;
    let (low, high) = decades(points().map(|(_, y)| y)).context("a chart without points")?;
    draw(|area| {
        let mut chart = ChartBuilder::on(area)
            .caption(labels.title, TITLE)
            .margin(12)
            .x_label_area_size(42)
            .y_label_area_size(62)
            .build_cartesian_2d((left..right).log_scale(), (low..high).log_scale())?;
        chart
            .configure_mesh()
            .x_desc(labels.x)
            .y_desc(labels.y)
            .label_style(TEXT)
            .light_line_style(WHITE)
            .x_label_formatter(&|x| short(*x))
            .y_label_formatter(&|y| short(*y))
            .draw()?;
        for (line, colour) in all.iter().zip(COLOURS.iter().cycle()) {
            let drawn = LineSeries::new(line.of.iter().copied(), colour.stroke_width(2));
            chart
                .draw_series(drawn.point_size(4))?
                .label(&line.name)
                .legend(|(x, y)| Rectangle::new([(x, y - 5), (x + 14, y + 5)], colour.filled()));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .label_font(TEXT)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .draw()?;
        Ok(())
    })
}

/// Draws vertical bars in groups. Each group has one bar of each series, with its value on top.
pub(super) fn grouped_bars(
    labels: &Labels<'_>,
    groups: &[String],
    all: &[Series<f64>],
) -> Result<String> {
    let largest = all.iter().flat_map(|s| s.of.iter().copied()).fold(0.0, f64::max);
    draw(|area| {
        let mut chart = ChartBuilder::on(area)
            .caption(labels.title, TITLE)
            .margin(12)
            .x_label_area_size(42)
            .y_label_area_size(62)
            .build_cartesian_2d(
                0.0..groups.len() as f64,
                0.0..largest.max(f64::MIN_POSITIVE) * 1.25,
            )?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(0)
            .x_desc(labels.x)
            .y_desc(labels.y)
            .label_style(TEXT)
            .light_line_style(WHITE)
            .draw()?;
        let width = 0.8 / all.len() as f64;
        for (index, (series, colour)) in all.iter().zip(COLOURS.iter().cycle()).enumerate() {
            let left = |group: usize| group as f64 + 0.1 + index as f64 * width;
            let bar = |(group, y): (usize, &f64)| {
                let x = left(group);
                Rectangle::new([(x, 0.0), (x + width * 0.92, *y)], colour.filled())
            };
            chart
                .draw_series(series.of.iter().enumerate().map(bar))?
                .label(&series.name)
                .legend(|(x, y)| Rectangle::new([(x, y - 5), (x + 14, y + 5)], colour.filled()));
            let text = TextStyle::from(TEXT).pos(Pos::new(HPos::Center, VPos::Bottom));
            chart.draw_series(series.of.iter().enumerate().map(|(group, y)| {
                Text::new(short(*y), (left(group) + width / 2.0, *y), text.clone())
            }))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .label_font(TEXT)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .draw()?;
        let text = TextStyle::from(TEXT).pos(Pos::new(HPos::Center, VPos::Top));
        for (group, name) in groups.iter().enumerate() {
            let at = chart.backend_coord(&(group as f64 + 0.5, 0.0));
            area.draw(&Text::new(name.clone(), (at.0, at.1 + 4), text.clone()))?;
        }
        Ok(())
    })
}

/// Draws one horizontal bar for each group. Each series contributes one segment to every bar.
pub(super) fn stacked_bars(
    labels: &Labels<'_>,
    groups: &[String],
    all: &[Series<f64>],
) -> Result<String> {
    let total = |group: usize| all.iter().map(|series| series.of[group]).sum::<f64>();
    let longest = (0..groups.len()).map(total).fold(0.0, f64::max);
    let count = groups.len() as f64;
    draw(|area| {
        let mut chart = ChartBuilder::on(area)
            .caption(labels.title, TITLE)
            .margin(12)
            .x_label_area_size(42)
            .y_label_area_size(122)
            // Leaves the upper half and the right margin free for the legend.
            .build_cartesian_2d(0.0..longest.max(f64::MIN_POSITIVE) * 1.4, 0.0..2.0 * count)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .y_labels(0)
            .x_desc(labels.x)
            .label_style(TEXT)
            .light_line_style(WHITE)
            .draw()?;
        let mut ends = vec![0.0; groups.len()];
        for (series, colour) in all.iter().zip(COLOURS.iter().cycle()) {
            let bars: Vec<_> = series
                .of
                .iter()
                .zip(&mut ends)
                .enumerate()
                .map(|(group, (x, end))| {
                    let (from, y) = (*end, group as f64);
                    *end += x;
                    Rectangle::new([(from, y + 0.15), (*end, y + 0.85)], colour.filled())
                })
                .collect();
            chart
                .draw_series(bars)?
                .label(&series.name)
                .legend(|(x, y)| Rectangle::new([(x, y - 5), (x + 14, y + 5)], colour.filled()));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .label_font(TEXT)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .draw()?;
        let text = TextStyle::from(TEXT).pos(Pos::new(HPos::Right, VPos::Center));
        for (group, name) in groups.iter().enumerate() {
            let at = chart.backend_coord(&(0.0, group as f64 + 0.5));
            area.draw(&Text::new(name.clone(), (at.0 - 8, at.1), text.clone()))?;
        }
        Ok(())
    })
}

fn draw(on: impl FnOnce(&Area<'_>) -> Result<()>) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        on(&area)?;
        area.present()?;
    }
    Ok(svg)
}

/// The largest power of ten below all numbers and the smallest one above them. `None` if there are
/// no numbers.
fn decades(of: impl Iterator<Item = f64> + Clone) -> Option<(f64, f64)> {
    let smallest = of.clone().reduce(f64::min)?;
    let largest = of.reduce(f64::max)?;
    let low = 10f64.powf(smallest.log10().floor());
    let high = 10f64.powf(largest.log10().ceil());
    Some((low, if high > low { high } else { low * 10.0 }))
}

/// Formats a number for a label, with the suffix `k` or `M` from 1000 on.
fn short(x: f64) -> String {
    match x {
        x if x >= 1e6 => format!("{}M", round(x / 1e6)),
        x if x >= 1e3 => format!("{}k", round(x / 1e3)),
        x => round(x),
    }
}

/// Formats a number with at least two significant digits, without trailing zeros after the point.
fn round(x: f64) -> String {
    if x == 0.0 {
        return "0".into();
    }
    let decimals = usize::try_from(1 - x.abs().log10().floor() as i32).unwrap_or(0);
    let text = format!("{x:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}
